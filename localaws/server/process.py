"""The server process of one lab: `python -m localaws.server HOME [READY_FD]`.

It serves moto's APIs with this package's services on loopback, runs the engines, and ends all its children when it
ends. When everything answers, it writes "ready" to READY_FD; if it can't start, it writes the reason.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import json
import logging
import os
import shutil
import signal
import socket
import threading
import time
from types import FrameType
from typing import Any

# moto reads these when it is imported.
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
os.environ["S3_IGNORE_SUBDOMAIN_BUCKETNAME"] = "true"
os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"

from werkzeug.serving import BaseWSGIServer, make_server

from localaws import iam
from localaws.core import certificates, context, leftovers, locking
from localaws.core.children import Children
from localaws.core.database import check_databases
from localaws.core.errors import HomeUnusable, LocalAwsError, PortTaken
from localaws.core.events import Bus
from localaws.core.home import Home, remove_torn_writes, write_durably
from localaws.core.processes import ProcessList
from localaws.core.state import State
from localaws.iam.gate import Gate
from localaws.server import backends, parts, problems
from localaws.server.application import Application
from localaws.server.http import RequestHandler
from localaws.server.saving import Saving

log = logging.getLogger("localaws")


class Server:
    """One lab's server, from its lock to its last child."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._stopped = threading.Event()
        # Python runs signal handlers in the main thread, which does not wake if another thread receives the signal.
        self._woken, self._wake = socket.socketpair()
        self._wake.setblocking(False)

    def start(self) -> None:
        """Load the state, start everything, and return when all of it answers.

        Raises:
            BlockingIOError: another server has this home.
            LocalAwsError: the home's state can't be used.
            PortTaken: another program listens on this home's port.
        """
        self._lock = locking.hold(self.home.lock_file)
        for left in leftovers.end(self.home):
            log.warning("Ended a process that an earlier start left: %s", left)
        certificates.ensure(self.home)
        remove_torn_writes(self.home.state)
        shutil.rmtree(self.home.work, ignore_errors=True)
        self.home.work.mkdir(mode=0o700)

        backends.register()
        self.state = State(self.home)
        self.children = Children(self.home.children_lock, ProcessList(self.home.process_list))
        self.bus = Bus()
        self.context = context.Context(self.home, self.bus, self.children, self.state)
        context.set_current(self.context)
        check_databases(self.home.state)
        parts.load(self.context)
        self.parts = parts.make(self.context)

        self.reload()
        root = self.home.credentials()
        gate = Gate(root.access_key_id, root.secret_access_key, self.context.account_id)
        saving = Saving(self.home, self.state, self.parts)
        application = Application(self.bus, saving, self.health, gate, root.secret_access_key, lambda: self._settings)
        with _listening_socket(self.home.port("http")) as listener:
            self._http: BaseWSGIServer = make_server(
                "127.0.0.1",
                self.home.port("http"),
                application,
                threaded=True,
                request_handler=RequestHandler,
                fd=listener.fileno(),
            )
        threading.Thread(target=self._http.serve_forever, name="http", daemon=True).start()
        self.bus.start()
        self.parts.start()
        about = {"pid": os.getpid(), "endpoint_url": self.context.endpoint_url, "started": time.time()}
        write_durably(self.home.server_file, json.dumps(about).encode())
        log.info("Serving %s on %s", self.home.root, self.context.endpoint_url)

    def health(self, *, heal: bool = False, warm_jobs: bool = False) -> dict[str, Any]:
        """Return what `status` shows of the running server.

        `heal` first starts again what had failed. `warm_jobs` begins to start Spark, if none is running.
        """
        if heal:
            problems.heal(self.parts)
        if warm_jobs:
            self.parts.jobs.prepare()
        return {
            "pid": os.getpid(),
            "endpoint_url": self.context.endpoint_url,
            "region": self.context.region,
            "account_id": self.context.account_id,
            **dataclasses.asdict(self._settings),
            "children": [{"name": child.name, "pid": child.program} for child in self.children.running()],
            "problems": [dataclasses.asdict(problem) for problem in problems.find(self.home, self.parts)],
        }

    def reload(self, *_: int | FrameType | None) -> None:
        """Apply the home's settings; safe in a signal handler."""
        self._settings = self.home.settings
        iam.enforce(self._settings.enforce_iam)

    def stop(self, *_: int | FrameType | None) -> None:
        """Ask `wait` to return; safe in a signal handler."""
        self._stopped.set()
        with contextlib.suppress(BlockingIOError):
            self._wake.send(b"\0")

    def wait(self) -> None:
        """Serve until `stop`, then end in order: no new calls, engines, state, children."""
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        while not self._stopped.is_set():
            self._woken.recv(100)
        log.info("Stopping")
        RequestHandler.stopping = True
        self._http.shutdown()
        self.parts.stop()
        self.bus.stop()
        try:
            self.state.close()
        except Exception:
            log.exception("Not all of the state could be saved")
        self.children.stop_all()
        self.home.server_file.unlink(missing_ok=True)
        log.info("Stopped")


def main(argv: list[str]) -> int:
    """Run the server of the home named in `argv`."""
    home = Home.at(argv[1])
    ready_fd = int(argv[2]) if len(argv) > 2 else None
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s [%(threadName)s] %(message)s")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    logging.getLogger("botocore").setLevel(logging.WARNING)
    server = Server(home)
    signal.signal(signal.SIGTERM, server.stop)
    signal.signal(signal.SIGINT, server.stop)
    signal.signal(signal.SIGHUP, server.reload)
    try:
        server.start()
    except BaseException as error:
        log.exception("The server could not start")
        if hasattr(server, "children"):
            server.children.stop_all()
        if isinstance(error, OSError) and not isinstance(error, BlockingIOError):
            error = HomeUnusable(home.root, error)
        _tell(ready_fd, str(error) if isinstance(error, LocalAwsError) else f"{type(error).__name__}: {error}.")
        return 1
    gc.freeze()
    gc.enable()
    _tell(ready_fd, "ready")
    server.wait()
    return 0


def _listening_socket(port: int) -> socket.socket:
    # Bound here, since werkzeug ends the process if the port is taken.
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise PortTaken(port) from error
    listener.listen(128)
    return listener


def _tell(ready_fd: int | None, message: str) -> None:
    if ready_fd is not None:
        with os.fdopen(ready_fd, "w") as stream:
            stream.write(message)
