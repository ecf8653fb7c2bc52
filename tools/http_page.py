"""docs/reference/http.md, from http_service/routes/ and http_service/answers.py."""

from __future__ import annotations

import re

from http_service.answers import ANSWERS
from http_service.openapi import shown_path
from http_service.operations import Operation
from http_service.routes import OPERATIONS
from tools.markdown import table

HEAD = """\
# HTTP

Rendered from `http_service/routes/` and `http_service/answers.py` by `make docs`; do not edit.
With parameters, bodies and examples: `GET /docs` and `GET /openapi.json` of a running server.

Routes marked * also answer under `/ingest` and to browsers of other origins, those marked † under `/ingest`.
Collectors whose requests name no project also answer under `/p/{project_key}`, behind `/ingest` if that is there.
"""
ERRORS = """
## Errors

Every refusal has the body `{"error": {"code": "…", "message": "…", "details": [{"field", "code", "message"}]}}`,
and outside the append routes the header `X-Request-ID`, which is in the log too. 503 comes with `Retry-After`.
What the mobile SDKs do next is from `spec/openreplay-mobile.md` 1.5.

"""


def render_http() -> str:
    """The whole page: routes by tag, then errors."""
    parts = [HEAD]
    for tag in dict.fromkeys(each.tag for each in OPERATIONS):
        rows = [_row(each) for each in OPERATIONS if each.tag == tag]
        title = tag[:1].upper() + tag[1:]
        parts.append(f"\n## {title}\n\n" + table(["Route", "Does", "Needs", "Answers"], rows))
    errors = [
        [f"`{kind.code}`", str(answer.status), _words(kind), answer.then] for kind, answer in ANSWERS.items()
    ]
    return "".join(parts) + ERRORS + table(["Code", "Status", "Meaning", "SDKs"], errors)


def _row(each: Operation) -> list[str]:
    route = f"`{each.method} {shown_path(each)}`" + (" *" if each.ingest else " †" if each.prefixed else "")
    answers = ", ".join(str(reply.status) for reply in each.replies)
    return [route, each.summary, each.access.value, answers]


def _words(kind: type[Exception]) -> str:
    return re.sub(r"\s+", " ", kind.__doc__ or "").strip()
