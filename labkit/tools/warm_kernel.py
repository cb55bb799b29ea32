"""Kernels that are forked from a process which has imported already what notebooks import.

Starting a kernel and importing the lab, pandas and matplotlib takes longer than most notebooks' cells. `labkit run`
does it once: Python's fork server (multiprocessing) imports everything, and forks a process for each notebook, which
then becomes a kernel. Each notebook has a process and a namespace of its own, as always.

This module is imported in the fork server, so it imports nothing else at its top.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from multiprocessing import connection, forkserver

CAN_FORK = sys.platform == "linux"
"""On macOS, a fork of a process that has loaded system frameworks may crash: there, kernels start from nothing."""

PRELOADED = (
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "matplotlib.pyplot",
    "labkit.lab",
    "labkit.show.picture",
    "pandas",
    "redshift_connector",
)


def begin_to_import() -> None:
    """Start the fork server, which imports the packages. It returns at once, and does nothing if one is running."""
    if CAN_FORK:
        multiprocessing.get_context("forkserver").set_forkserver_preload([f"{__package__}.preloaded"])
        # It ignores Ctrl-C by itself only after the imports, and would show a traceback before. It inherits this.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            forkserver.ensure_running()
        finally:
            signal.signal(signal.SIGINT, before)


def import_packages() -> None:
    """Import what the notebooks import, and parse botocore's models of the services that they call."""
    # A kernel sets this before matplotlib is imported, which reads it then.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    for name in PRELOADED:
        with contextlib.suppress(Exception):  # if a package is broken, the cell that imports it shows the error
            importlib.import_module(name)
    with contextlib.suppress(Exception):  # then each kernel parses them
        importlib.import_module("labkit.session").load_models()


def serve(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Become a kernel. This is what the forked process runs.

    Args:
        arguments: of the kernel's command line, without the interpreter and the module.
        environment: the environment variables of the kernel.
    """
    os.setsid()  # as jupyter_client does: Ctrl-C in the terminal is for `labkit run`, which ends the kernel
    os.environ.clear()
    os.environ.update(environment)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()  # the fork server's random numbers would be the same in all kernels
    threading.Thread(target=_end_with_the_run, name="parent", daemon=True).start()
    from ipykernel.kernelapp import IPKernelApp

    sys.argv = ["ipykernel_launcher", *arguments]
    if "" not in sys.path:
        sys.path.insert(0, "")  # modules beside the notebooks, as in every kernel
    IPKernelApp.launch_instance(argv=list(arguments))


def _end_with_the_run() -> None:
    """End this kernel if the run is killed."""
    run = multiprocessing.parent_process()
    if run is not None:
        connection.wait([run.sentinel])
        os._exit(1)
