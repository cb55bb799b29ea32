"""One warm Spark: a JVM, and beside it a Python process that forks one process for each job run.

Starting a JVM and Spark's first query cost seconds; a second context in the same JVM costs a tenth of that. So the JVM
starts before there is a job, and runs one dummy job. Then each script's own `SparkContext()` opens in it. The Python
process has already imported what scripts import; each run gets a fresh fork of it, which ends with the run.

If a run is killed (timeout, stop), so is its Spark: nothing of the run is left, and a new Spark is warmed up.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from localaws.core import handouts, runtimes
from localaws.core.children import Child
from localaws.core.confinement import confinement
from localaws.core.context import Context
from localaws.glue.jobs.java import MODULE_OPTIONS, NO_PERF_FILE, find_java
from localaws.glue.jobs.script import Log, Outcome, RunRequest, ScriptGone, ScriptProcess, SparkFailed

log = logging.getLogger(__name__)

WORKER = Path(__file__).with_name("worker.py")
RUNTIME = Path(__file__).with_name("runtime")
HADOOP = Path(__file__).with_name("hadoop")
START_LIMIT = 120.0  # seconds; a cold start takes 6 on two cores, much more on a machine that swaps
JVM_OPTIONS = (
    NO_PERF_FILE,
    "-Xmx1g",
    "-XX:+UseParallelGC",
    # Begin small, and keep little free: idle, this JVM takes 340 MB. A million rows make it 800, and it stays so: this
    # collector shrinks only by -XX:+UseAdaptiveSizePolicyWithSystemGC, which gives back 150 MB, and the next large run
    # takes half a second more to grow again.
    "-Xms64m",
    "-XX:MinHeapFreeRatio=30",
    "-XX:MaxHeapFreeRatio=40",
    # Grow in large steps: with steps of a fifth, every step on the way from small to large was a full collection.
    "-XX:+IgnoreUnrecognizedVMOptions",
    "-XX:TenuredGenerationSizeIncrement=100",
    "-XX:YoungGenerationSizeIncrement=100",
    # The optimizing compiler only for really hot code: it takes half of the CPU time of a start, and is of no use to a
    # small job. (Leaving it out altogether would double the time of a large job.)
    "-XX:Tier4InvocationThreshold=50000",
    "-XX:Tier4MinInvocationThreshold=6000",
    "-XX:Tier4CompileThreshold=150000",
    "-XX:Tier4BackEdgeThreshold=400000",
)


class Spark:
    """One JVM and its Python; runs one job at a time."""

    def __init__(self, context: Context, number: int, on_death: Callable[[Spark], None] = lambda _: None) -> None:
        """`on_death(spark)` is called when one of its processes dies by itself."""
        self._context = context
        self._on_death = on_death
        self.name = f"spark-{number}"
        self._directory = context.home.work / "glue" / self.name
        # For both processes; only the server writes to the directory itself.
        self._local = self._directory / "local"
        self._scratch = self._directory / "scratch"
        self._confinement = confinement(context.home)
        self._account = self._confinement.named_account()
        self._programs: set[int] = set()
        self._jvm: Child | None = None
        self._python: Child | None = None
        self._control: socket.socket | None = None
        self._gateway: tuple[int, str] = (0, "")
        self._killed = threading.Event()
        self._idle = threading.Event()
        self.runs = 0
        self.reusable = True

    # Life

    def start(self) -> None:
        """Start both processes and run a dummy job.

        Raises:
            SparkFailed: the processes did not start; the message says where the log is.
            NoJava: no Java was found.
        """
        began = time.monotonic()
        shutil.rmtree(self._directory, ignore_errors=True)
        self._directory.mkdir(mode=0o711, parents=True)
        self._local.mkdir(mode=0o700)
        self._confinement.scratch(self._scratch, self._account)
        if self._account is not None:
            self._account.own(self._local)
        packages = runtimes.job_path(self._context.home)
        java = find_java()
        with self._log_file.open("ab") as jvm_log:
            self._start_jvm(java.program, packages, jvm_log)
            self._start_python(packages, jvm_log)
        self._await_gateway()
        self._await_python()
        self._programs = {child.program for child in (self._jvm, self._python) if child is not None}
        self._warm_up(packages)
        log.info("%s on Java %s is warm after %.1f s", self.name, java.version, time.monotonic() - began)

    def kill(self) -> None:
        """End both processes and everything that they started, without a grace period."""
        self._killed.set()
        for child in (self._python, self._jvm):
            if child is not None:
                child.stop(grace=0)
        if self._control is not None:
            self._control.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def alive(self) -> bool:
        """Whether both processes are alive."""
        return all(child is not None and child.alive for child in (self._jvm, self._python))

    @property
    def _log_file(self) -> Path:
        return self._context.home.logs / "glue-spark.log"

    def _start_jvm(self, java: Path, packages: Path, output: Any) -> None:
        jars = sorted((packages / "pyspark" / "jars").glob("*.jar"))
        cores = min(os.cpu_count() or 1, 4)
        configuration = {
            "spark.master": f"local[{cores}]",
            "spark.app.name": "glue",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.local.dir": str(self._local),
            "spark.sql.warehouse.dir": str(self._local / "warehouse"),
            "spark.sql.shuffle.partitions": str(2 * cores),
            # Both only pay off for large queries, and cost small ones a third of their time. Results are the same.
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.codegen.wholeStage": "false",
            # Local files cost next to nothing to open, so many small ones go into one task.
            "spark.sql.files.openCostInBytes": "16384",
            # Split one large file over all cores, in shares that end at about the same time.
            "spark.sql.files.maxPartitionBytes": "16m",
            # No checksum file beside each local file.
            "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
            "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "2",
            "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
            "spark.executor.allowSparkContext": "false",
        }
        self._jvm = self._launch(
            "jvm",
            [
                java,
                *MODULE_OPTIONS,
                *JVM_OPTIONS,
                f"-Djava.io.tmpdir={self._local}",
                "-Duser.timezone=UTC",
                *(f"-D{name}={value}" for name, value in configuration.items()),
                "-cp",
                ":".join(map(str, [HADOOP, *jars])),
                "org.apache.spark.api.python.PythonGatewayServer",
            ],
            environment={
                **self._environment(packages),
                "SPARK_HOME": str(packages / "pyspark"),
                "_PYSPARK_DRIVER_CONN_INFO_PATH": str(self._local / "gateway"),
            },
            kept=[packages, java.parents[1], java.resolve().parents[1]],
            # The gateway ends when its standard input is closed.
            stdin=subprocess.PIPE,
            output=output,
        )

    def _start_python(self, packages: Path, output: Any) -> None:
        self._control, theirs = socket.socketpair()
        python = self._directory / "python"
        # Spark starts its Python workers (for Filter, Map and UDFs) with this: they too see only what AWS has.
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
        python.chmod(0o755)
        self._python = self._launch(
            "python",
            [sys.executable, "-I", "-S", WORKER, str(theirs.fileno()), RUNTIME, packages],
            environment={**self._environment(packages), "PYSPARK_PYTHON": str(python), "PYTHONHASHSEED": "0"},
            kept=[packages],
            descriptors=[theirs.fileno()],
            output=output,
        )
        theirs.close()

    def _launch(
        self,
        part: str,
        argv: Sequence[str | Path],
        *,
        environment: dict[str, str],
        kept: Sequence[Path],
        output: Any,
        descriptors: Sequence[int] = (),
        stdin: int = subprocess.DEVNULL,
    ) -> Child:
        with self._confinement.launch(
            argv,
            environment=environment,
            cwd=self._local,
            scratch=self._scratch,
            account=self._account,
            kept=[*kept, self._directory],
            descriptors=descriptors,
        ) as launch:
            return self._context.children.spawn(
                f"{self.name}-{part}",
                launch.command,
                env={"PATH": os.defpath},
                stdin=stdin,
                stdout=output,
                stderr=output,
                pass_fds=launch.descriptors,
                launched=True,
                on_exit=self._on_exit,
            )

    def _environment(self, packages: Path) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ}
        return {
            **kept,
            **self._context.environment(),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "PYTHONPATH": f"{RUNTIME}:{packages}",
            # Not the user's own home: what lies there is not for jobs.
            "HOME": str(self._local),
            **self._confinement.temporary(self._scratch),
        }

    def _on_exit(self, child: Child, status: int) -> None:
        """End the other process too, as one is of no use without the other: a waiting run then notices immediately."""
        self.reusable = False
        for other in (self._python, self._jvm):
            if other is not None and other is not child:
                other.stop(grace=0)
        self._on_death(self)

    def _await_gateway(self) -> None:
        """Read the port and secret that PySpark's gateway writes: two length-prefixed values."""
        file = self._local / "gateway"
        deadline = time.monotonic() + START_LIMIT
        while not file.exists():
            assert self._jvm is not None
            if not self._jvm.alive or time.monotonic() > deadline:
                raise self._did_not_start()
            self._killed.wait(0.02)
        content = file.read_bytes()
        (port,) = struct.unpack_from("!i", content, 0)
        (length,) = struct.unpack_from("!i", content, 4)
        self._gateway = port, content[8 : 8 + length].decode()

    def _await_python(self) -> None:
        assert self._control is not None
        self._control.settimeout(START_LIMIT)
        try:
            ready = self._control.recv(5) == b"ready"
        except OSError:
            ready = False
        if not ready:
            raise self._did_not_start()

    def _did_not_start(self) -> SparkFailed:
        tail = ""
        with contextlib.suppress(OSError):
            tail = " ".join(self._log_file.read_text(errors="replace").splitlines()[-3:])
        return SparkFailed(f"Spark did not start. Its log is {self._log_file}; the last lines: {tail}")

    def _warm_up(self, packages: Path) -> None:
        script = WORKER.with_name("warmup.py")
        request = RunRequest("warm-up", "warm-up", [str(script)], {}, str(script), {})
        lines: list[str] = []
        outcome = self.run(request, lambda _, line: lines.append(line), lambda _: None, START_LIMIT)
        if outcome.error is not None:
            raise SparkFailed(f"Spark's warm-up failed: {outcome.error}. {' '.join(lines[-3:])}")
        self.runs = 0

    # Runs

    def run(
        self,
        request: RunRequest,
        on_line: Callable[[Log, str], None],
        on_bookmark: Callable[[dict[str, Any]], None],
        timeout: float,
    ) -> Outcome:
        """Run a script to its end.

        `on_line(log, text)` gets each line as the script prints it. `on_bookmark(state)` gets each state that the
        script commits; if it raises, an exception is raised in the script.

        Raises:
            RunTimedOut: it took more than `timeout` seconds.
            SparkFailed: one of the processes died.
        """
        self.runs += 1
        self._idle.clear()
        assert self._control is not None
        port, secret = self._gateway
        gateway = {"PYSPARK_GATEWAY_PORT": str(port), "PYSPARK_GATEWAY_SECRET": secret}
        directory = Path(tempfile.mkdtemp(prefix="run-", dir=self._directory))
        place = handouts.Place(self._directory / "handed-out", self._account)
        with handouts.given_to(request.environment.get("AWS_ACCESS_KEY_ID", ""), place):
            return self._run(request, directory, gateway, on_line, on_bookmark, timeout)

    def _run(
        self,
        request: RunRequest,
        directory: Path,
        gateway: dict[str, str],
        on_line: Callable[[Log, str], None],
        on_bookmark: Callable[[dict[str, Any]], None],
        timeout: float,
    ) -> Outcome:
        assert self._control is not None
        try:
            process = ScriptProcess(request, directory, self._account, gateway, self._control, on_line)
        except OSError as error:
            self.reusable = False
            raise SparkFailed("The job's Python process is gone.") from error
        try:
            outcome, suspect = process.follow(on_bookmark, timeout)
        except BaseException as error:
            self.reusable = False
            process.abandon()
            if isinstance(error, ScriptGone):
                raise SparkFailed(f"The {self._the_dead()} ended in the middle of the run, as if killed.") from None
            raise
        if suspect:
            self.reusable = False
        threading.Thread(target=self._await_end, args=(process,), name="job-end", daemon=True).start()
        return outcome

    def _the_dead(self) -> str:
        assert self._jvm is not None
        return "job's Python process" if self._jvm.alive else "Spark JVM"

    def _await_end(self, process: ScriptProcess) -> None:
        """Wait until the script's Spark context is closed: only then can the next job open one."""
        if not process.await_end():
            self.reusable = False
        self._leave_nothing()
        self._idle.set()

    def _leave_nothing(self) -> None:
        """End the processes that a run has detached, and empty its /tmp: the next run must not see them."""
        for child in (self._python, self._jvm):
            assert child is not None
            child.end_descendants(keep=self._programs)
        self._confinement.empty(self._scratch)

    def await_idle(self) -> bool:
        """Wait until the last run has released Spark; return whether another run can use it."""
        return self._idle.wait(35) and self.reusable and self.alive
