"""How users are found in every index: by their identifier, or, if that is long, by its beginning and its hash."""

from __future__ import annotations

import hashlib
from typing import Final

#: longest identifier of a user, characters; what goes on is cut. Source: spec/openreplay-mobile.md 5.5
MAX_USER_ID: Final = 8_000
#: longest key, characters; no index of Postgres holds much more
KEY_CHARS: Final = 200
_HASH_BYTES: Final = 16


def user_key(user_id: str) -> str:
    """The identifier itself up to KEY_CHARS, else one of its own of that length; of a key the same key."""
    if len(user_id) <= KEY_CHARS:
        return user_id
    whole = user_id[:MAX_USER_ID].encode("utf-8", "replace")
    digest = hashlib.blake2b(whole, digest_size=_HASH_BYTES).hexdigest()
    return f"{user_id[: KEY_CHARS - 1 - len(digest)]}…{digest}"
