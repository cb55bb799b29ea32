"""The threads in which a front runs blocking work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

SHORT = 32  # logins and cancellations that run at the same time; others wait
STATEMENTS = 256  # more than PostgreSQL allows sessions, so a statement never waits for another one

P = ParamSpec("P")
T = TypeVar("T")


class Workers:
    """Two pools of threads, so that long statements delay neither logins nor cancellations."""

    def __init__(self) -> None:
        self._short = ThreadPoolExecutor(SHORT, thread_name_prefix="login")
        self._statements = ThreadPoolExecutor(STATEMENTS, thread_name_prefix="statement")

    async def run_short(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run blocking work that ends soon: a login, a cancellation."""
        return await asyncio.get_running_loop().run_in_executor(self._short, lambda: work(*args, **kwargs))

    async def run_statement(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the work of one session, which may take as long as a statement does."""
        return await asyncio.get_running_loop().run_in_executor(self._statements, lambda: work(*args, **kwargs))

    def start(self, work: Callable[[], None]) -> None:
        """Run work in the background."""
        self._statements.submit(work)
