"""Whether a browser's request comes from a page of this server: what guards cookies against other sites' pages."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request

from playhead.errors import Forbidden

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def refuse_other_sites(request: Request, public_url: str, *, browser: bool = True) -> None:
    """Raises Forbidden (`cross_site`) for a request that another site's page made, or that could be one.

    Not `browser`: a request that names no origin at all, as programs send them, is let through.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        good = site == "same-origin" or (site == "none" and origin is None)
    elif origin is not None:
        own = {request.headers.get("host", "").lower(), _place(public_url)}
        good = bool(place := _place(origin)) and place in own
    else:
        good = not browser
    if not good:
        raise Forbidden("only pages of this server may do that", code="cross_site")


def _place(url: str) -> str:
    """Host and port as they stand in the URL; empty for what is no http URL, such as `null`."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts.netloc.lower() if parts.scheme in ("http", "https") else ""
