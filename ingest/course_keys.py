"""Keys of Open edX: courses, libraries and what is in them. Source: spec/segment-webhook.md 1.4, 2.4."""

from __future__ import annotations

import re
from typing import Any, Final

_PART: Final = r"[\w\-~.:]+"
_BRANCH: Final = rf"(?:\+branch@{_PART})?(?:\+version@{_PART})?"
_COURSES: Final = (
    re.compile(r"(?P<org>[\w.%-]+)/[\w.%-]+/[\w.%-]+"),
    re.compile(rf"course-v1:(?P<org>{_PART})\+{_PART}\+{_PART}{_BRANCH}"),
    re.compile(rf"library-v1:(?P<org>{_PART})\+{_PART}{_BRANCH}"),
)
_OLD_USAGE: Final = re.compile(r"i4x://([\w.%-]+)/([\w.%-]+)/([\w.%-]+)/([\w.%:-]+)(?:@([\w.%-]+))?")
_USAGE: Final = re.compile(
    rf"block-v1:{_PART}\+{_PART}\+{_PART}{_BRANCH}\+type@{_PART}\+block@(?P<block>[\w\-~.:%]+)"
)
_NOT_HTML: Final = re.compile(r"[^\w-]")


def organisation(key: Any) -> str | None:
    """The organisation of a course or library key, None if it is no key."""
    if isinstance(key, str):
        for form in _COURSES:
            if found := form.fullmatch(key):
                return found["org"]
    return None


def html_id(key: Any) -> str | None:
    """A usage key as an id in HTML, None if it is no usage key."""
    if not isinstance(key, str):
        return None
    if found := _OLD_USAGE.fullmatch(key):
        return _NOT_HTML.sub("_", "-".join(("i4x", *(part for part in found.groups() if part))))
    if found := _USAGE.fullmatch(key):
        return found["block"]
    return None
