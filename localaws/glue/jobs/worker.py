"""The Python side of a warm Spark: imports what scripts import, then forks one process for each job run.

Started as ``python -I -S worker.py CONTROL RUNTIME PACKAGES``: the path holds the standard library, the local `awsglue`
(RUNTIME) and the packages of AWS's Glue runtime (PACKAGES), but nothing of the lab. For each run it receives, on the
socket CONTROL, the path of a request file and three descriptors: for the run's stdout and stderr, for Glue's own
messages about it, and the channel to the engine.
"""

# ruff: noqa: E402  the path must be made before what is on it can be imported

from __future__ import annotations

import atexit
import gc
import inspect
import json
import os
import runpy
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

CONTROL, RUNTIME, PACKAGES = int(sys.argv[1]), sys.argv[2], sys.argv[3]
sys.path += [RUNTIME, PACKAGES]

# Imported in advance, so that scripts find them ready; they import pyspark, boto3 and redshift_connector.
import awsglue.context
import awsglue.job
import awsglue.transforms
import awsglue.utils  # noqa: F401
from awsglue import _aws, _run, _s3, _spark_catalog
from pyspark.context import SparkContext

_LARGE_HEAP = 256 << 20  # bytes
_WORKER_PATH = "spark.executorEnv.PYTHONPATH"
_properties_before: dict[str, str | None] = {}


class BookmarkRefused(Exception):
    """The service refused the run's bookmark."""


class Engine:
    """The engine that requested this run, at the other end of the channel."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._stream = channel.makefile("r")

    def say(self, **message: Any) -> None:
        """Send one message."""
        self._channel.sendall(json.dumps(message).encode() + b"\n")

    def save_bookmark(self, state: dict[str, Any]) -> None:
        """Save `state` in the service.

        Raises:
            BookmarkRefused: the service refused it; the message says why.
        """
        self.say(type="bookmark", state=state)
        answer = json.loads(self._stream.readline())
        if "error" in answer:
            raise BookmarkRefused(answer["error"])


def serve() -> None:
    """Fork a process for each request, until the engine closes the control socket."""
    control = socket.socket(fileno=CONTROL)
    # Clients that every script's process would otherwise create again. Nothing is connected before the fork.
    for service in ("s3", "glue", "secretsmanager"):
        _aws.client(service)
    # redshift_connector looks up the calling module for each connection: the first lookup reads every module's path.
    inspect.getmodule(inspect.currentframe())
    # Nobody waits for the children here: the engine sees their end on the channel.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control.sendall(b"ready")
    # Objects that exist now stay. A run that searched them for garbage would get its own copy of every memory page.
    gc.collect()
    gc.freeze()
    while True:
        path, descriptors, _, _ = socket.recv_fds(control, 4096, 3)
        if not path:
            return
        if os.fork() == 0:
            control.close()
            run(Path(path.decode()), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def run(file: Path, output: int, errors: int, channel: int) -> NoReturn:
    """Be the process of one run: run the script as __main__, send its result to the engine, and leave Spark clean."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    error_log = os.fdopen(errors, "w", buffering=1, encoding="utf-8", errors="replace")
    request = json.loads(file.read_text())
    engine = Engine(socket.socket(fileno=channel))
    os.environ.update(request["environment"])
    os.chdir(request["directory"])
    _run.current = _run.Run(
        job_name=request["job_name"],
        run_id=request["run_id"],
        arguments=request["arguments"],
        bookmark=request["bookmark"],
        bookmark_to=request["bookmark_to"],
        save_bookmark=engine.save_bookmark,
        error_log=error_log,
        scratch=Path(request["directory"], "scratch"),
    )
    error, insight, suspect = None, None, False
    try:
        execute(request)
    except SystemExit as leaving:
        if leaving.code not in (None, 0):
            error = f"SystemExit: {leaving.code}"
            print(error, file=error_log)
    except BaseException as raised:
        # A Java exception may have left the JVM in a bad state; a Python exception has not.
        suspect = type(raised).__module__.startswith("py4j")
        error = f"{type(raised).__name__}: {raised}".strip().rstrip(":")
        raised = raised.with_traceback(_script_part(raised))
        traceback.print_exception(raised, file=error_log)
        insight = _insight(raised, sys.argv[0])
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    error_log.close()
    _close_output()
    engine.say(type="result", error=error, insight=insight, suspect=suspect)
    context = SparkContext._active_spark_context
    if context is not None:
        context.stop()
        _collect_garbage()
    _restore_properties()
    engine.say(type="end")
    os._exit(0)


def execute(request: dict[str, Any]) -> None:
    """Fetch the script and the files that its job declares, and run it."""
    directory = Path(request["directory"])
    # In separate directories: a module with the script's name must not hide the script, nor the other way round.
    modules = [
        _module_path(_fetch(address, directory / f"module-{number}"), address)
        for number, address in enumerate(request["extra_py_files"])
    ]
    for address in request["extra_files"]:
        _fetch(address, directory)
    sys.path[:0] = modules
    properties = dict(request["spark_properties"])
    if modules:
        properties[_WORKER_PATH] = ":".join(modules)
    _set_properties(properties)
    _spark_catalog.refuse_if_enabled(request["arguments"])
    script = _fetch(request["script"], directory)
    sys.argv = [str(script), *request["argv"]]
    runpy.run_path(str(script), run_name="__main__")


def _set_properties(properties: dict[str, str]) -> None:
    """Make `properties` the defaults of the next context's configuration, until `_restore_properties`."""
    if not properties:
        return
    SparkContext._ensure_initialized()
    for name, value in properties.items():
        _properties_before[name] = SparkContext._jvm.System.setProperty(name, value)


def _restore_properties() -> None:
    for name, value in _properties_before.items():
        if value is None:
            SparkContext._jvm.System.clearProperty(name)
        else:
            SparkContext._jvm.System.setProperty(name, value)


def _collect_garbage() -> None:
    """Collect a large run's garbage while nobody waits: else the next large run does it (a tenth of its time)."""
    runtime = SparkContext._jvm.Runtime.getRuntime()
    if runtime.totalMemory() > _LARGE_HEAP:
        runtime.gc()


def _fetch(address: str, directory: Path) -> Path:
    """Copy a script, a module or a file from S3; the warm-up's script is local already."""
    if not address.startswith("s3"):
        return Path(address)
    bucket, key = _s3.split(address)
    directory.mkdir(exist_ok=True)
    file: Path = directory / key.rsplit("/", 1)[-1]
    s3 = _aws.client("s3")
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except (s3.exceptions.NoSuchKey, s3.exceptions.NoSuchBucket) as missing:
        code = missing.response["Error"]["Code"]
        raise FileNotFoundError(f"{address} is not there ({code}). The job names it as a script or module.") from None
    file.write_bytes(body)
    return file


def _module_path(file: Path, address: str) -> str:
    """Return what to put on sys.path for one of --extra-py-files: the archive itself, or a module's directory."""
    if file.suffix in (".zip", ".egg", ".whl"):
        return str(file)
    if file.suffix == ".py":
        return str(file.parent)
    raise ValueError(f"--extra-py-files takes .py, .zip, .egg and .whl files, not {address}")


def _script_part(raised: BaseException) -> Any:
    """Return the traceback from the script's first frame on; the frames above belong to this worker."""
    frames = raised.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename in (__file__, runpy.__file__, "<frozen runpy>"):
        frames = frames.tb_next
    return frames


def _insight(raised: BaseException, script: str) -> dict[str, Any]:
    """Return Glue's job run insights about a failure: https://docs.aws.amazon.com/glue/latest/dg/monitor-job-insights.html"""
    frames = traceback.extract_tb(raised.__traceback__)
    in_script = [frame for frame in frames if frame.filename == script]
    # A script that doesn't compile has no frame of its own.
    line = in_script[-1].lineno if in_script else getattr(raised, "lineno", None)
    return {
        "Event": "GlueETLJobExceptionEvent",
        "Failure Reason": "".join(traceback.format_exception(raised)),
        "Stack Trace": [
            {"Declaring Class": frame.name, "File Name": frame.filename, "Line Number": frame.lineno}
            for frame in frames
        ],
        "Last Executed Line number": line,
        "script": Path(script).name,
    }


def _close_output() -> None:
    """Let the engine see the end of both logs before the context is closed."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


serve()
