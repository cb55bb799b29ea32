"""The pool of warm Sparks: one is always ready, a second starts if two jobs run, and spoiled ones are replaced."""

from __future__ import annotations

import logging
import threading

from localaws.core.context import Context
from localaws.glue.jobs.spark import Spark

log = logging.getLogger(__name__)

LARGEST = 2  # each is a JVM of some 400 MB
RUNS_EACH = 100  # then a new one, as scripts may leave things behind in it


class PoolStopped(RuntimeError):
    """The server is stopping."""


class Pool:
    """Hands out warm Sparks, one job run at a time each."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._changed = threading.Condition()
        self._idle: list[Spark] = []
        self._all: set[Spark] = set()
        self._starting = 0
        self._returning = 0  # Sparks that are closing the context of a run that ended: ready in half a second
        self._waiting = 0
        self._failure: BaseException | None = None
        self.failure: BaseException | None = None  # of the last start; None if it succeeded
        self._number = 0
        self._stopped = False

    def warm(self) -> None:
        """Start a Spark in the background, if there is none."""
        with self._changed:
            if not self._all and not self._starting and not self._stopped:
                self._start_one()

    def retry(self) -> None:
        """Start a Spark again after one that failed; return when it is warm, or has failed too."""
        self.warm()
        with self._changed:
            self._changed.wait_for(lambda: not self._starting or self._stopped)

    def acquire(self, given_up: threading.Event) -> Spark | None:
        """Wait for a warm Spark for one run, and return it; None if `given_up` is set before.

        Raises:
            SparkFailed, NoJava: no Spark could be started.
            PoolStopped: the server is stopping.
        """
        with self._changed:
            self._waiting += 1
            try:
                while True:
                    if self._stopped:
                        raise PoolStopped("the server is stopping")
                    if given_up.is_set():
                        return None
                    while self._idle:
                        spark = self._idle.pop()
                        if spark.alive and spark.reusable:
                            return spark
                        self._discard(spark)
                    if self._failure is not None:
                        failure, self._failure = self._failure, None
                        raise failure
                    coming = self._starting + self._returning
                    if coming < self._waiting and len(self._all) + self._starting < LARGEST:
                        self._start_one()
                    self._changed.wait()
            finally:
                self._waiting -= 1

    def release(self, spark: Spark) -> None:
        """Take a Spark back after its run: keep it for the next run, or end it if it is spoiled or not needed."""
        with self._changed:
            self._returning += 1
        threading.Thread(target=self._take_back, args=(spark,), name="spark-release", daemon=True).start()

    def discard(self, spark: Spark) -> None:
        """End a Spark with whatever runs in it, and start another; return when its processes are gone."""
        with self._changed:
            self._all.discard(spark)
            self._replace()
        spark.kill()

    def wake(self) -> None:
        """Let waiting runs check their `given_up`."""
        with self._changed:
            self._changed.notify_all()

    def stop(self) -> None:
        """End all Sparks."""
        with self._changed:
            self._stopped = True
            sparks = list(self._all)
            self._changed.notify_all()
        for spark in sparks:
            spark.kill()

    def _take_back(self, spark: Spark) -> None:
        sound = spark.await_idle() and spark.runs < RUNS_EACH
        with self._changed:
            self._returning -= 1
            self._changed.notify_all()
            if spark not in self._all:
                return
            if not sound:
                log.info("%s is not used again after %d runs", spark.name, spark.runs)
            if not sound or (self._idle and not self._waiting):
                self._discard(spark)
                self._replace()
            else:
                self._idle.append(spark)

    def _on_death(self, spark: Spark) -> None:
        """Replace an idle Spark, one of whose processes died. If a busy Spark dies, its run notices."""
        with self._changed:
            if spark in self._idle:
                self._idle.remove(spark)
                self._discard(spark)
                self._replace()

    def _replace(self) -> None:
        if not self._stopped and not self._idle and not self._starting and len(self._all) < LARGEST:
            self._start_one()

    def _discard(self, spark: Spark) -> None:
        self._all.discard(spark)
        threading.Thread(target=spark.kill, name="spark-kill", daemon=True).start()

    def _start_one(self) -> None:
        self._starting += 1
        self._number += 1
        spark = Spark(self._context, self._number, self._on_death)
        threading.Thread(target=self._start, args=(spark,), name=f"spark-{self._number}-start", daemon=True).start()

    def _start(self, spark: Spark) -> None:
        failure: BaseException | None = None
        try:
            spark.start()
            if not spark.await_idle():
                raise RuntimeError("Spark ended right after its warm-up")
        except BaseException as error:
            failure = error
            spark.kill()
        with self._changed:
            self._starting -= 1
            self.failure = failure
            if failure is not None:
                if not self._stopped:
                    log.error("No Spark: %s", failure)
                    self._failure = failure if self._waiting else None
            elif self._stopped:
                spark.kill()
            else:
                self._all.add(spark)
                self._idle.append(spark)
            self._changed.notify_all()
