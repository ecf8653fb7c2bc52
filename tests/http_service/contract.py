"""Every answer of the tests' client is held against the OpenAPI document: its status and its body."""

from __future__ import annotations

import re
from typing import Any

import httpx
import orjson
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

#: statuses that any route may answer without saying so: they come before it, or it broke
ANYWHERE = {405, 413, 500, 503}


class Contract:
    """The document, and which of its answers have been seen."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._paths = [
            (re.compile("^" + re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + "$"), path)
            for path in document["paths"]
        ]

    async def check(self, response: httpx.Response) -> None:
        """Raises AssertionError where an answer is not as the document says."""
        await response.aread()
        request = response.request
        path = request.url.raw_path.decode().partition("?")[0]
        anywhere = ANYWHERE | ({404} if path.startswith(("/ingest/", "/p/")) else set())
        path = re.sub("^/p/[^/]+(?=/)", "", path.removeprefix("/ingest"))
        found = next((shown for pattern, shown in self._paths if pattern.match(path)), None)
        operations = self.document["paths"].get(found, {})
        operation = operations.get("get" if request.method == "HEAD" else request.method.lower())
        if operation is None:
            assert response.status_code in {200, 401, 404, 405, 413, 503}, (request, response)
            return
        documented = operation["responses"].get(str(response.status_code))
        if documented is None:
            assert response.status_code in anywhere | {304}, (
                request.method,
                path,
                response.status_code,
                response.text,
            )
            return
        for content_type, content in documented.get("content", {}).items():
            if content_type == "application/json" and request.method != "HEAD":
                assert response.headers["content-type"] == "application/json"
                self.validate(content["schema"], orjson.loads(response.content))

    def validate(self, schema: dict[str, Any], value: Any) -> None:
        """Raises AssertionError with the first fault."""
        whole = {**schema, "components": self.document["components"]}
        fault = next(iter(Draft202012Validator(whole).iter_errors(value)), None)
        assert fault is None, f"{fault.json_path}: {fault.message}"
