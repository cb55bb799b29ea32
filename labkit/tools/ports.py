"""Ports of this machine on which somebody wants to listen."""

from __future__ import annotations

import socket


def refusal(port: int) -> OSError | None:
    """Why a server can't listen on this port of 127.0.0.1; None if it can."""
    try:
        with socket.create_server(("127.0.0.1", port)):
            return None
    except OSError as error:
        return error
