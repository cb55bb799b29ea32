"""Ports of loopback that another program may have taken."""

from __future__ import annotations

import socket


def is_taken(port: int) -> bool:
    """Whether nobody can listen on `port` of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
