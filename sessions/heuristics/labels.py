"""What was touched, in the words that its user saw. Source: spec/openreplay-mobile.md section 3.6, field meanings."""

from __future__ import annotations

import re
from typing import Final

#: `UIButton 'Pay'`
_IOS: Final = re.compile(r"(\S+) '(.*)'", re.DOTALL)
#: `id:pay | text:Pay | desc: | type:Button`
_ANDROID_PART: Final = re.compile(r"(?:^| \| )(id|text|desc|type):")


def shown_label(label: str) -> str:
    """`UIButton 'Pay'` and `id:pay | text:Pay | desc: | type:Button` -> `Pay`; what is of neither form stays."""
    if found := _IOS.fullmatch(label):
        return found[2] or found[1]
    if not label.startswith("id:"):
        return label
    pieces = _ANDROID_PART.split(label)
    parts = {name: text.strip() for name, text in zip(pieces[-2::-2], pieces[-1::-2], strict=False)}
    return next((parts[name] for name in ("text", "desc", "id", "type") if parts.get(name)), label)
