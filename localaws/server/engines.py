"""What really runs: functions, crawls, jobs, workflows and the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localaws.core.context import Context
    from localaws.glue.crawlers.engine import CrawlerEngine
    from localaws.glue.jobs.engine import JobsEngine
    from localaws.glue.workflows.engine import WorkflowEngine
    from localaws.lambda_.invocations.engine import FunctionsEngine
    from localaws.redshift.engine import RedshiftEngine


@dataclass(frozen=True)
class Engines:
    """The engines of the running server, in the order in which they start."""

    redshift: RedshiftEngine
    functions: FunctionsEngine
    crawler: CrawlerEngine
    jobs: JobsEngine
    workflow: WorkflowEngine

    def start(self) -> None:
        """Start all of them; return when what they had before answers again."""
        for engine in self._all():
            engine.start()
        self.redshift.wait_until_started()
        # Events that were accepted before a restart run functions, which call the other engines.
        self.functions.resume()

    def stop(self) -> None:
        """Stop all of them, the last first."""
        for engine in reversed(self._all()):
            engine.stop()

    def _all(self) -> list[Any]:
        return [self.redshift, self.functions, self.crawler, self.jobs, self.workflow]


_running: Engines | None = None


def make(context: Context) -> Engines:
    """Make the engines of `context`'s server, and let `running` find them."""
    from localaws.glue.crawlers.engine import CrawlerEngine
    from localaws.glue.jobs.engine import JobsEngine
    from localaws.glue.workflows.engine import WorkflowEngine
    from localaws.lambda_.invocations.engine import FunctionsEngine
    from localaws.redshift.engine import RedshiftEngine

    global _running
    _running = Engines(
        redshift=RedshiftEngine(context),
        functions=FunctionsEngine(context),
        crawler=CrawlerEngine(context),
        jobs=JobsEngine(context),
        workflow=WorkflowEngine(context),
    )
    return _running


def running() -> Engines:
    """The engines of this process's server.

    Raises:
        RuntimeError: this process serves no lab.
    """
    if _running is None:
        raise RuntimeError("no embedded AWS runs in this process")
    return _running
