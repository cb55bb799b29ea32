"""Loopback ports that another program may be using."""

from __future__ import annotations

import socket


def is_taken(port: int) -> bool:
    """Whether `port` of 127.0.0.1 is in use, so that we can't listen on it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
