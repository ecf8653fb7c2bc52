"""Listening sockets, opened by whoever starts the HTTP processes; needs nothing of the HTTP side itself."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playhead.settings import Settings

BACKLOG: Final = 4096


def open_sockets(settings: Settings) -> list[socket.socket]:
    """Listening sockets on the settings' host and port, inheritable by child processes. Raises OSError."""
    opened: list[socket.socket] = []
    try:
        for family, kind, proto, _, address in socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            listener = socket.socket(family, kind, proto)
            opened.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            port = opened[0].getsockname()[1]
            listener.bind((address[0], port or settings.port, *address[2:]))
            listener.listen(BACKLOG)
            listener.setblocking(False)
            listener.set_inheritable(True)
    except OSError:
        for listener in opened:
            listener.close()
        raise
    return opened
