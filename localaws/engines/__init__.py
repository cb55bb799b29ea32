"""What really runs: functions, crawls, jobs, workflows and the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localaws.context import Context
    from localaws.engines.crawler.engine import CrawlerEngine
    from localaws.engines.functions.engine import FunctionsEngine
    from localaws.engines.jobs.engine import JobsEngine
    from localaws.engines.redshift.engine import RedshiftEngine
    from localaws.engines.workflow.engine import WorkflowEngine


@dataclass(frozen=True)
class Engines:
    """The engines of the running server, in the order in which they start."""

    redshift: RedshiftEngine
    functions: FunctionsEngine
    crawler: CrawlerEngine
    jobs: JobsEngine
    workflow: WorkflowEngine

    def start(self) -> None:
        """Start all of them."""
        for engine in self._all():
            engine.start()

    def stop(self) -> None:
        """Stop all of them, the last first."""
        for engine in reversed(self._all()):
            engine.stop()

    def _all(self) -> list[Any]:
        every = [self.redshift, self.functions, self.crawler, self.jobs, self.workflow]
        return [engine for engine in every if engine is not None]


_running: Engines | None = None


def make(context: Context) -> Engines:
    """Make the engines of `context`'s server, and let `running` find them."""
    from importlib import import_module

    global _running
    made: dict[str, Any] = {}
    for name in ("redshift", "functions", "crawler", "jobs", "workflow"):
        try:
            module = import_module(f"localaws.engines.{name}.engine")
            made[name] = getattr(module, f"{name.capitalize()}Engine")(context)
        except (ImportError, TypeError):
            made[name] = None  # BUILDING: to be removed when all have landed
    _running = Engines(**made)
    return _running


def running() -> Engines:
    """The engines of this process's server.

    Raises:
        RuntimeError: this process serves no lab.
    """
    if _running is None:
        raise RuntimeError("no embedded AWS runs in this process")
    return _running
