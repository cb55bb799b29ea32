"""The kernels of `labkit run`: each notebook gets one of its own, which starts while the notebook before it runs."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from types import ModuleType, TracebackType
from typing import Any, Self

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner
from nbclient.util import run_sync
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.log import logger
from traitlets.config import Config

from labkit.tools import warm_kernel

ENGINE = "labkit"
# jupyter_client first interrupts a kernel to end it, and an idle kernel logs that as an error.
ARGUMENTS = ["--IPKernelApp.log_level=CRITICAL"]
ENCRYPTED = Config({"KernelManager": {"transport_encryption": "auto"}})
NOT_GRACEFUL = "immediate"
"""A notebook leaves nothing to clean up in its kernel, and a graceful shutdown takes half a second, sometimes three."""


class Kernels:
    """Hands out one kernel for each notebook of a run, and starts the next one at the same time.

    >>> with Kernels(2) as kernels:
    ...     first, second = kernels.take(), kernels.take()

    When the block ends, all kernels that still run are ended.
    """

    def __init__(self, number: int) -> None:
        self._to_start = number
        self._started: list[AsyncKernelManager] = []

    def __enter__(self) -> Self:
        warm_kernel.begin_to_import()
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with contextlib.ExitStack() as all_of_them:  # also those after one whose end fails
            for kernel in self._started:
                if kernel.has_kernel:
                    all_of_them.callback(run_sync(kernel.shutdown_kernel), now=True)

    def take(self) -> AsyncKernelManager:
        """The kernel that was started last; the next one starts now."""
        kernel = self._started[-1]
        self._start()
        return kernel

    def _start(self) -> None:
        if not self._to_start:
            return
        self._to_start -= 1
        kernel = AsyncKernelManager(kernel_name="python3", config=ENCRYPTED)
        if warm_kernel.CAN_FORK:
            kernel.provisioner = Forked(kernel_id="", kernel_spec=kernel.kernel_spec, parent=kernel)
        self._started.append(kernel)
        run_sync(kernel.start_kernel)(extra_arguments=ARGUMENTS)


class Forked(LocalProvisioner):  # type: ignore[misc]  # jupyter_client is not checked here
    """Starts a kernel as a fork of a warm process, instead of as a new interpreter."""

    async def launch_kernel(self, cmd: list[str], **options: Any) -> dict[str, Any]:
        """Start the kernel. `cmd` is [python, "-m", "ipykernel_launcher", "-f", FILE, …]."""
        arguments = cmd[cmd.index("ipykernel_launcher") + 1 :]
        self.process = ForkedProcess(arguments, options["env"])
        # The process makes itself the leader of a group. As long as it has not, signals go to it alone.
        self.pid = self.pgid = self.process.pid
        return dict(self.connection_info)


class ForkedProcess:
    """A forked process, with those attributes of `subprocess.Popen` that jupyter_client uses."""

    stdin = stdout = stderr = None

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        context = multiprocessing.get_context("forkserver")
        self._process = context.Process(target=warm_kernel.serve, args=(arguments, environment))
        with without_main_module():
            self._process.start()
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for its end."""
        self._process.join(timeout)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None and self.pid is not None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


@contextlib.contextmanager
def without_main_module() -> Iterator[None]:
    """Hide the main module from multiprocessing, which would import it in the new process: a kernel has its own."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


class WithKernel(NBClientEngine):  # type: ignore[misc]  # papermill has no types
    """papermill's own engine, with a kernel that runs already."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        """Execute a notebook in the kernel `options["kernel"]`, and end that kernel.

        `options["progress"](number, cells)` is called before each code cell.
        """
        code = [index for index, cell in enumerate(nb_man.nb.cells) if cell.cell_type == "code"]

        def show(cell: Any, cell_index: int) -> None:
            if cell_index in code:
                options["progress"](code.index(cell_index) + 1, len(code))

        client = PapermillNotebookClient(
            nb_man,
            km=options["kernel"],
            kernel_name=kernel_name,
            log=logger,
            on_cell_start=show,
            shutdown_kernel=NOT_GRACEFUL,
        )
        client.owns_km = True  # else nbclient would leave the kernel running
        client.execute()


papermill_engines.register(ENGINE, WithKernel)
