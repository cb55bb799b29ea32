"""One worker: a process that runs one version of one function, one invocation at a time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import queue
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from localaws.core.children import Child
from localaws.core.confinement import Account, confinement
from localaws.core.context import Context
from localaws.core.home import Home
from localaws.iam.service_roles import RoleCredentials, ServiceRole
from localaws.lambda_.invocations.code import CodeStore
from localaws.lambda_.invocations.logs import TAIL, LogShipper, LogStream
from localaws.lambda_.invocations.runtime_api import RuntimeApi, deadline_in
from localaws.lambda_.invocations.spec import FunctionSpec, Invocation, Result, Status, error_payload

INIT_LIMIT = 10.0  # seconds, https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
_TASK = "/var/task"


@dataclass
class _Outcome:
    """An outcome that is settled once, by whichever comes first: the runtime API, the process's end, or the timeout."""

    done: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    status: Status = Status.SUCCESS
    payload: bytes = b""

    def settle(self, status: Status, payload: bytes) -> None:
        with self.lock:
            if not self.done.is_set():
                self.status, self.payload = status, payload
                self.done.set()


class Worker:
    """A worker process, its runtime API and its log stream."""

    def __init__(
        self, spec: FunctionSpec, context: Context, code: CodeStore, runtime: Path, shipper: LogShipper
    ) -> None:
        """Start the process. `run` waits until it is ready.

        Raises:
            FileNotFoundError: the code is gone.
            OSError: the process can't be started.
        """
        self.spec = spec
        self._usable = True
        self.idle_since = time.monotonic()
        self._shipper = shipper
        self._stream = LogStream.of_worker(
            ServiceRole(spec.role, spec.name, spec.region, spec.account_id), spec.log_group, spec.version
        )
        self._work: queue.SimpleQueue[tuple[Invocation, float] | None] = queue.SimpleQueue()
        self._init = _Outcome()
        self._current: tuple[str, _Outcome] | None = None
        self._init_reported = False
        self._stopped = False
        self._memory = 0
        self._task_root = code.unpacked(spec.code)
        # The worker's own directory, as /tmp is on AWS.
        self._scratch = context.home.work / "functions" / uuid.uuid4().hex
        self._credentials = RoleCredentials.assume(spec.role, spec.name, spec.account_id, spec.region)
        self._api = RuntimeApi(self)
        self._output, output = os.pipe()
        os.set_blocking(self._output, False)
        self._output_lock = threading.Lock()
        self._output_open = True
        self._partial = b""
        self._tail = bytearray()
        self._log(f"INIT_START Runtime Version: python:{'.'.join(map(str, sys.version_info[:3]))}\n")
        self._started = time.monotonic()
        try:
            self._child = self._spawn(context, code, runtime, output)
        except BaseException:
            self._api.close()
            os.close(self._output)
            shutil.rmtree(self._scratch, ignore_errors=True)
            raise
        finally:
            os.close(output)
        threading.Thread(target=self._read_output, name=f"output-{spec.name}", daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether the worker can run another invocation."""
        return self._usable and self._child.alive

    def await_init(self) -> None:
        """Wait until the function's module is loaded, or that has failed or takes longer than on AWS."""
        self._init.done.wait(INIT_LIMIT)

    def run(self, invocation: Invocation) -> Result:
        """Run `invocation` to its end. A worker that is not `alive` afterwards must not be used again."""
        init_ms = self._wait_for_init()
        self._drain()  # output from loading the module comes before START
        self._tail.clear()
        failed_init = self._init.status is not Status.SUCCESS
        self._log(f"START RequestId: {invocation.request_id} Version: {self.spec.version}\n")
        outcome = _Outcome()
        started = time.monotonic()
        if failed_init:
            outcome.settle(self._init.status, self._init.payload)
        else:
            self._current = (invocation.request_id, outcome)
            if not self.alive:
                self._died(self._child.process.wait())
            self._work.put((invocation, deadline_in(self.spec.timeout)))
            if not outcome.done.wait(self.spec.timeout):
                outcome.settle(Status.TIMEOUT, b"")
            self._current = None
        duration = (time.monotonic() - started) * 1000
        payload = self._finish(invocation, outcome)
        self._report(
            invocation,
            outcome.status,
            _error_type(payload) if outcome.status is Status.ERROR else "",
            duration,
            init_ms,
        )
        self.idle_since = time.monotonic()
        return Result(invocation.request_id, self.spec.version, outcome.status, payload, bytes(self._tail[-TAIL:]))

    def stop(self) -> None:
        """End the process. Do nothing if that was done before."""
        self._usable = False
        if self._stopped:
            return
        self._stopped = True
        self._work.put(None)
        self._child.stop(grace=0.5)
        self._api.close()
        self._credentials.forget()
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._drain_all()
        self._shipper.ship(self._stream)

    # Called by the runtime API

    def next_invocation(self) -> tuple[Invocation, float] | None:
        """See `runtime_api.Host`."""
        self._init.settle(Status.SUCCESS, b"")
        return self._work.get()

    def answered(self, request_id: str, payload: bytes) -> None:
        """See `runtime_api.Host`."""
        self._settle(request_id, Status.SUCCESS, payload)

    def failed(self, request_id: str, payload: bytes) -> None:
        """See `runtime_api.Host`."""
        self._settle(request_id, Status.ERROR, self._as_on_lambda(payload))

    def init_failed(self, payload: bytes) -> None:
        """See `runtime_api.Host`."""
        self._init.settle(Status.ERROR, self._as_on_lambda(payload))

    def _settle(self, request_id: str, status: Status, payload: bytes) -> None:
        current = self._current
        if current is not None and current[0] == request_id:
            current[1].settle(status, payload)

    # The process

    def _spawn(self, context: Context, code: CodeStore, runtime: Path, output: int) -> Child:
        layers = [code.unpacked(layer) for layer in reversed(self.spec.layers)]
        limits = confinement(context.home)
        account = limits.account(self.spec.role)
        limits.scratch(self._scratch, account)
        bytecode = _bytecode(context.home, self.spec.role, account)
        bootstrap = Path(__file__).with_name("bootstrap.py")
        python = [sys.executable, "-S", "-E", "-P", "-u", "-X", f"pycache_prefix={bytecode}"]
        with limits.launch(
            [*python, bootstrap, runtime, *layers],
            environment={**limits.temporary(self._scratch), **self._environment(context, runtime)},
            cwd=self._task_root,
            scratch=self._scratch,
            account=account,
            kept=[runtime, bytecode, *layers],
        ) as launch:
            return context.children.spawn(
                f"function-{self.spec.name}",
                launch.command,
                env={"PATH": os.defpath},
                stdout=output,
                stderr=output,
                pass_fds=launch.descriptors,
                launched=True,
                on_exit=lambda _, returncode: self._died(returncode),
            )

    def _environment(self, context: Context, runtime: Path) -> dict[str, str]:
        # https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
        spec = self.spec
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            **context.environment(spec.region),
            **self._credentials.environment(),
            **dict(spec.environment),
            "_HANDLER": spec.handler,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
            "AWS_LAMBDA_FUNCTION_NAME": spec.name,
            "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self._stream.name,
            "AWS_LAMBDA_LOG_FORMAT": spec.log_format,
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "LAMBDA_TASK_ROOT": str(self._task_root),
            "LAMBDA_RUNTIME_DIR": str(runtime),
        }
        if spec.log_level:
            environment["AWS_LAMBDA_LOG_LEVEL"] = spec.log_level
        return environment

    def _died(self, returncode: int) -> None:
        """Handle the unexpected end of the process: fail the current invocation, with Lambda's message."""
        self._usable = False
        self._work.put(None)
        if returncode < 0:
            how = f"Runtime exited with error: signal: {_signal_name(-returncode)}"
        elif returncode > 0:
            how = f"Runtime exited with error: exit status {returncode}"
        else:
            how = "Runtime exited without providing a reason"
        self._init.settle(Status.ERROR, error_payload("Runtime.ExitError", how))
        if (current := self._current) is not None:
            request_id, outcome = current
            outcome.settle(Status.ERROR, error_payload("Runtime.ExitError", f"RequestId: {request_id} Error: {how}"))

    def _wait_for_init(self) -> float | None:
        """Wait until the function's module is loaded. Return how long that took (ms); None if reported before."""
        # Lambda restarts a slow initialisation within the first invocation's time. Here it simply continues.
        if not self._init.done.wait(INIT_LIMIT + self.spec.timeout):
            self._init.settle(Status.TIMEOUT, b"")
        if self._init_reported:
            return None
        self._init_reported = True
        took = (time.monotonic() - self._started) * 1000
        if self._init.status is not Status.SUCCESS:
            if self._init.status is Status.ERROR:  # the process reports the error and ends: wait for its last output
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._child.process.wait(5)
            self._drain()
            kind = _error_type(self._init.payload)
            about = f"\tError Type: {kind}" if kind else ""
            self._log(f"INIT_REPORT Init Duration: {took:.2f} ms\tPhase: init\tStatus: {self._init.status}{about}\n")
        return took

    def _finish(self, invocation: Invocation, outcome: _Outcome) -> bytes:
        """Return the payload for the caller. End a worker that can't continue."""
        self._measure()
        if outcome.status is Status.TIMEOUT:
            self.stop()
            message = f"Task timed out after {self.spec.timeout:.2f} seconds"
            now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{int(time.time() * 1000) % 1000:03d}Z"
            self._log(f"{now} {invocation.request_id} {message}\n\n")
            return error_payload("Sandbox.Timedout", f"RequestId: {invocation.request_id} Error: {message}")
        if outcome.status is Status.ERROR and self._init.status is not Status.SUCCESS:
            self.stop()
        self._drain_all()
        if not self.alive and (how := _message(outcome.payload)).startswith("RequestId: "):
            self._log(f"{how}\n")
        return outcome.payload

    def _measure(self) -> None:
        with contextlib.suppress(psutil.Error):  # if the process is gone, the last measurement stays
            self._memory = max(self._memory, psutil.Process(self._child.program).memory_info().rss)

    def _report(
        self, invocation: Invocation, status: Status, kind: str, duration: float, init_ms: float | None
    ) -> None:
        # Since August 2025, the initialisation is billed too.
        billed = math.ceil(duration + (init_ms or 0))
        line = (
            f"REPORT RequestId: {invocation.request_id}\tDuration: {duration:.2f} ms\tBilled Duration: {billed} ms\t"
            f"Memory Size: {self.spec.memory} MB\tMax Memory Used: {max(1, self._memory >> 20)} MB"
        )
        if init_ms is not None and self._init.status is Status.SUCCESS:
            line += f"\tInit Duration: {init_ms:.2f} ms"
        if not self.alive:
            line += f"\tStatus: {status}" + (f"\tError Type: {kind}" if kind else "")
        self._log(f"END RequestId: {invocation.request_id}\n")
        self._log(f"{line}\n")
        self._shipper.ship(self._stream)

    # The process's output

    def _log(self, line: str) -> None:
        self._stream.add(line)
        self._tail += line.encode()
        del self._tail[: -2 * TAIL]

    def _read_output(self) -> None:
        while True:
            select.select([self._output], [], [])
            if not self._drain():
                with self._output_lock:
                    self._output_open = False  # after this, its descriptor number may belong to another file
                    os.close(self._output)
                return

    def _drain(self) -> bool:
        """Read what the process has written so far. Return False if it closed its end."""
        with self._output_lock:
            while self._output_open:
                try:
                    chunk = os.read(self._output, 65536)
                except BlockingIOError:
                    return True
                if not chunk:
                    return False
                *lines, self._partial = (self._partial + chunk).split(b"\n")
                for line in lines:
                    self._take_line(line + b"\n")
            return False

    def _drain_all(self) -> None:
        """`_drain`, and take the last line even if it has no line end."""
        self._drain()
        with self._output_lock:
            if self._partial:
                self._take_line(self._partial)
                self._partial = b""

    def _take_line(self, line: bytes) -> None:
        # The runtime client writes an error as one event, with carriage returns between its lines.
        text = line.decode(errors="replace").replace("\r", "\n").replace(str(self._task_root), _TASK)
        self._log(text)

    def _as_on_lambda(self, payload: bytes) -> bytes:
        """Replace this machine's paths in an error with the function's."""
        return payload.replace(str(self._task_root).encode(), _TASK.encode())


def _bytecode(home: Home, role: str, account: Account | None) -> Path:
    """Return the bytecode directory of functions with this role: what one of them writes, the others run."""
    directory = home.cache / "function-bytecode" / hashlib.sha256(role.encode()).hexdigest()[:12]
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    if account is not None:
        account.own(directory)
    return directory


def _signal_name(number: int) -> str:
    names = {signal.SIGKILL: "killed", signal.SIGSEGV: "segmentation fault", signal.SIGABRT: "aborted"}
    return names.get(signal.Signals(number), signal.Signals(number).name)


def _error_type(payload: bytes) -> str:
    return str(_error(payload).get("errorType", ""))


def _message(payload: bytes) -> str:
    return str(_error(payload).get("errorMessage", ""))


def _error(payload: bytes) -> dict[str, Any]:
    error = json.loads(payload) if payload else {}
    return error if isinstance(error, dict) else {}
