"""The running server's message store, opened with it."""

from __future__ import annotations

from localaws.core.home import Home
from localaws.sqs.messages import MessageStore

_store: MessageStore | None = None


def open_messages(home: Home) -> MessageStore:
    """Open the messages of `home`; `messages` finds them from now on.

    Raises:
        StateRefused: they are of another version, or damaged.
    """
    global _store
    _store = MessageStore(home.state / "sqs-messages.sqlite")
    return _store


def messages() -> MessageStore:
    """The messages of this process's server.

    Raises:
        RuntimeError: this process serves no lab.
    """
    if _store is None:
        raise RuntimeError("no embedded AWS runs in this process")
    return _store
