"""The Python side of a warm Spark: imports what scripts import, then forks one process for each job run.

Started as ``python -I -S worker.py CONTROL RUNTIME PACKAGES``: the path holds the standard library, the local `awsglue`
(RUNTIME) and the packages of AWS's Glue runtime (PACKAGES), nothing of the lab. For each run it is sent, on the socket
CONTROL, the path of a request file with three descriptors: the run's stdout, stderr and its channel to the engine.
"""

# ruff: noqa: E402  the path must be made before what is on it can be imported

from __future__ import annotations

import atexit
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

# Imported for scripts to find them ready; they import pyspark, boto3 and redshift_connector.
import awsglue.context
import awsglue.job
import awsglue.transforms
import awsglue.utils  # noqa: F401
from awsglue import _aws, _run, _s3
from pyspark.context import SparkContext

_WORKER_PATH = "spark.executorEnv.PYTHONPATH"


class BookmarkRefused(Exception):
    """The service did not take the run's bookmark."""


class Engine:
    """The engine that asked for this run, at the other end of the channel."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._stream = channel.makefile("r")

    def say(self, **message: Any) -> None:
        """Send one message."""
        self._channel.sendall(json.dumps(message).encode() + b"\n")

    def save_bookmark(self, state: dict[str, Any]) -> None:
        """Have the service keep `state`.

        Raises:
            BookmarkRefused: it refused; the message says why.
        """
        self.say(type="bookmark", state=state)
        answer = json.loads(self._stream.readline())
        if "error" in answer:
            raise BookmarkRefused(answer["error"])


def serve() -> None:
    """Fork a process for each request, until the engine closes the control socket."""
    control = socket.socket(fileno=CONTROL)
    # What every script's process would make again. Nothing is connected before the fork.
    for service in ("s3", "glue", "secretsmanager"):
        _aws.client(service)
    # Children are not waited for: the engine sees their end on the channel.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control.sendall(b"ready")
    while True:
        path, descriptors, _, _ = socket.recv_fds(control, 4096, 3)
        if not path:
            return
        if os.fork() == 0:
            control.close()
            run(Path(path.decode()), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def run(file: Path, stdout: int, stderr: int, channel: int) -> NoReturn:
    """Be the process of one run: the script as __main__, its result to the engine, Spark left clean."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.close(stdout)
    os.close(stderr)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    request = json.loads(file.read_text())
    engine = Engine(socket.socket(fileno=channel))
    os.environ.update(request["environment"])
    os.chdir(request["directory"])
    _run.current = _run.Run(
        job_name=request["job_name"],
        run_id=request["run_id"],
        arguments=request["arguments"],
        bookmark=request["bookmark"],
        save_bookmark=engine.save_bookmark,
        scratch=Path(os.environ["TMPDIR"]),
    )
    error, suspect = None, False
    try:
        execute(request)
    except SystemExit as leaving:
        if leaving.code not in (None, 0):
            error = f"SystemExit: {leaving.code}"
            print(error, file=sys.stderr)
    except BaseException as raised:
        # An exception of Java's may have left the JVM in a bad way; one of Python's has not.
        suspect = type(raised).__module__.startswith("py4j")
        error = f"{type(raised).__name__}: {raised}".strip().rstrip(":")
        traceback.print_exception(raised.with_traceback(_script_part(raised)), file=sys.stderr)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    _close_output()
    engine.say(type="result", error=error, suspect=suspect)
    context = SparkContext._active_spark_context
    if context is not None:
        context.stop()
    if request["extra_py_files"]:
        _set_worker_path(None)
    engine.say(type="end")
    os._exit(0)


def execute(request: dict[str, Any]) -> None:
    """Fetch the script and what it declares, and run it."""
    directory = Path(request["directory"])
    modules = [_module_path(_fetch(address, directory), address) for address in request["extra_py_files"]]
    sys.path[:0] = modules
    if modules:
        _set_worker_path(":".join(modules))
    script = _fetch(request["script"], directory)
    sys.argv = [str(script), *request["argv"]]
    runpy.run_path(str(script), run_name="__main__")


def _set_worker_path(path: str | None) -> None:
    """Let the Python workers of the next context have `path` too, as a default of Spark's configuration."""
    SparkContext._ensure_initialized()
    system = SparkContext._jvm.System
    if path is None:
        system.clearProperty(_WORKER_PATH)
    else:
        system.setProperty(_WORKER_PATH, path)


def _fetch(address: str, directory: Path) -> Path:
    """Copy a script or a module from S3; the warm-up's script is here already."""
    if not address.startswith("s3"):
        return Path(address)
    bucket, key = _s3.split(address)
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
    """What goes on the path for one of --extra-py-files: the archive itself, or a module's directory."""
    if file.suffix in (".zip", ".egg", ".whl"):
        return str(file)
    if file.suffix == ".py":
        return str(file.parent)
    raise ValueError(f"--extra-py-files takes .py, .zip, .egg and .whl files, not {address}")


def _script_part(raised: BaseException) -> Any:
    """The traceback from the script's first frame on: what is above is this worker's."""
    frames = raised.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename in (__file__, runpy.__file__, "<frozen runpy>"):
        frames = frames.tb_next
    return frames


def _close_output() -> None:
    """Let the engine see the end of both logs before the context is closed."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


serve()
