"""The services' state on disk: saved before a call is answered, loaded when the server starts.

Each service has one file, with the pickled attributes of moto's backend objects. Three things are not pickled, but
looked up or made when the file is read: other services' backends (a function refers to the logs' backend), AWS's
managed policies (loaded by moto, 24 MB) and locks. S3 saves its own state: see localaws/s3/.
"""

from __future__ import annotations

import hashlib
import io
import logging
import pickle
import threading
import time
import weakref
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any, ClassVar

import cloudpickle
import moto
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from moto.backends import get_backend
from moto.core.base_backend import BackendDict, BaseBackend
from moto.iam.models import AWSManagedPolicy

from localaws.core.errors import StateDamaged, StateRefused
from localaws.core.home import Home, write_durably

log = logging.getLogger(__name__)

VERSION = f"3/moto-{moto.__version__}"
_MAGIC = b"localaws-state "
_LOCK, _RLOCK = type(threading.Lock()), type(threading.RLock())

# s3 saves itself object by object; moto_api and instance_metadata hold no state of a user.
NOT_SAVED = frozenset({"s3", "moto_api", "instance_metadata"})


class State:
    """Saves and loads the backends of every service in use."""

    def __init__(self, home: Home) -> None:
        self._directory = home.state
        self._digests: dict[str, bytes] = {}
        self._restored: Counter[str] = Counter()  # by service, how often
        self._locks: dict[str, threading.Lock] = {}
        self._locks_lock = threading.Lock()
        self._soon: set[str] = set()
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._save_later, name="state", daemon=True)
        self._thread.start()

    def save(self, service: str, *, since: int | None = None) -> None:
        """Write `service`'s state durably if it changed. `service` is moto's name of it ("glue", "iam").

        `since` is what `restored` returned before the change was made.

        Raises:
            OSError: the disk refused the write.
            ChangeLost: the state was restored since then.
            pickle.PicklingError: something on a backend can't be saved.
        """
        backends = _backends_in_use().get(service)
        if backends is None or service in NOT_SAVED:
            return
        with self._lock_of(service):
            if since is not None and since != self._restored[service]:
                raise ChangeLost(service)
            content = _dump(backends)
            digest = _digest(content)
            if self._digests.get(service) != digest:
                write_durably(self._file(service), sealed(content))
                self._digests[service] = digest

    def restored(self, service: str | None) -> int:
        """Return how often `service` (None: any) was restored."""
        return self._restored.total() if service is None else self._restored[service]

    def restore(self, service: str) -> None:
        """Put `service` back to its last saved state, or to its initial state if nothing was saved.

        Raises:
            StateDamaged: the file can't be read.
        """
        backends = _backends_in_use().get(service)
        if backends is None or service in NOT_SAVED:
            return
        with self._lock_of(service):
            file = self._file(service)
            content = read_saved(file) if file.exists() else b""
            saved = _loaded(file, content) if content else {}
            self._digests[service] = _digest(content)
            self._restored[service] += 1
            for account_id, region, backend in list(backends.iter_backends()):
                attributes = saved.get((account_id, region))
                if attributes is None:
                    attributes = type(backend)(region, account_id).__dict__
                # Update first, then delete, since other threads read the backend meanwhile.
                backend.__dict__.update(attributes)
                for name in backend.__dict__.keys() - attributes.keys():
                    del backend.__dict__[name]

    def is_saved(self, service: str) -> bool:
        """Whether the saved state of `service` is its current state."""
        backends = _backends_in_use().get(service)
        if backends is None or service in NOT_SAVED:
            return True
        with self._lock_of(service):
            return self._digests.get(service) == _digest(_dump(backends))

    @staticmethod
    def services() -> list[str]:
        """Return all services in use."""
        return list(_backends_in_use())

    def knows(self, service: str) -> bool:
        """Whether `save(service)` covers the calls signed for `service`."""
        return service in NOT_SAVED or service in _backends_in_use()

    def save_soon(self, service: str) -> None:
        """Save `service` within about half a second, for changes that no caller waits for, such as log lines."""
        with self._wake:
            self._soon.add(service)
            self._wake.notify()

    def save_all(self, *, since: int | None = None) -> None:
        """Save every service in use; for `since` see `save`.

        Raises:
            ChangeLost: a service was restored since then.
            ExceptionGroup: some services could not be saved; the others are.
        """
        errors = []
        for service in list(_backends_in_use()):
            try:
                self.save(service)
            except Exception as error:
                error.add_note(f"while saving {service}")
                errors.append(error)
        if since is not None and since != self.restored(None):
            raise ChangeLost("a service")
        if errors:
            raise ExceptionGroup("some services' state could not be saved", errors)

    def forget(self) -> None:
        """Delete the saved state of every service."""
        for file in self._directory.glob("*.pickle"):
            with self._lock_of(file.stem):
                file.unlink(missing_ok=True)
                self._digests.pop(file.stem, None)

    def load(self) -> None:
        """Load the saved state of every service.

        Raises:
            StateRefused: a file is of another version.
            StateDamaged: a file can't be read.
        """
        # Read all files before one is used, so that a refused start has changed nothing, not even in memory.
        contents = {file: read_saved(file) for file in sorted(self._directory.glob("*.pickle"))}
        for file, content in contents.items():
            service = file.stem
            saved = _loaded(file, content)
            for (account_id, region), attributes in saved.items():
                backend = _find_backend(service, account_id, region)
                backend.__dict__.clear()
                backend.__dict__.update(attributes)
            self._digests[service] = _digest(content)

    def close(self) -> None:
        """Stop saving in the background, and save everything."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(timeout=10)
        self.save_all()

    def _file(self, service: str) -> Path:
        return self._directory / f"{service}.pickle"

    def _lock_of(self, service: str) -> threading.Lock:
        with self._locks_lock:
            return self._locks.setdefault(service, threading.Lock())

    def _save_later(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._soon or self._closing)
                if self._closing and not self._soon:
                    return
            if not self._closing:
                time.sleep(0.4)  # collect log lines that come close together
            with self._wake:
                services, self._soon = self._soon, set()
            for service in services:
                try:
                    self.save(service)
                except Exception:
                    log.exception("Saving %s failed", service)


class ChangeLost(Exception):
    """The state was restored to what was saved before, which discarded a change that was not saved yet."""

    def __init__(self, service: str) -> None:
        super().__init__(f"another call of {service} could not be saved meanwhile")


def _loaded(file: Path, content: bytes) -> Any:
    try:
        return pickle.loads(content)
    except Exception as error:
        raise StateDamaged(file, error) from error


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Replaces objects that don't belong to this service with a way to find them again.

    It uses cloudpickle, since some of moto's backends hold dictionaries whose defaults are lambdas.
    """

    # Types whose objects are pickled as usual. They are remembered, because asking takes longer than pickling.
    _usual: ClassVar[set[type]] = set()

    def __init__(self, stream: io.BytesIO, addresses: dict[int, tuple[str, str, str]]) -> None:
        super().__init__(stream, protocol=5)
        self._addresses = addresses

    def reducer_override(self, item: Any) -> Any:
        kind = type(item)
        if kind in self._usual:
            return NotImplemented
        reduced = self._reduced(kind, item)
        # Whether a class or a function is pickled as usual depends on where it is defined.
        if reduced is NotImplemented and not isinstance(item, type | FunctionType):
            self._usual.add(kind)
        return reduced

    def _reduced(self, kind: type, item: Any) -> Any:
        if isinstance(item, BaseBackend):
            return _find_backend, self._addresses[id(item)]
        if kind is AWSManagedPolicy:
            used = {"attachment_count": item.attachment_count} if item.attachment_count else None
            return _find_managed_policy, (item.account_id, item.arn), used
        if kind is _LOCK:
            return threading.Lock, ()
        if kind is _RLOCK:
            return threading.RLock, ()
        if isinstance(item, BackendDict):
            return get_backend, (item.service_name,)
        if isinstance(item, RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey):
            pem = item.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            return _load_key, (pem,)
        if isinstance(item, defaultdict) and kind is not defaultdict:
            # By default, unpickling would call the class without the arguments that moto's constructors need.
            return _new_dictionary, (kind, item.default_factory), item.__dict__ or None, None, iter(item.items())
        if kind is weakref.WeakValueDictionary:
            return weakref.WeakValueDictionary, (), None, None, iter(list(item.items()))
        return super().reducer_override(item)


def _dump(backends: BackendDict[Any]) -> bytes:
    addresses = {id(backend): address for address, backend in _all_backends()}
    for attempt in range(20):
        try:
            stream = io.BytesIO()
            pickler = _Pickler(stream, addresses)
            pickler.dump(
                {(account, region): dict(backend.__dict__) for account, region, backend in backends.iter_backends()}
            )
            return stream.getvalue()
        except RuntimeError as error:
            # Another thread added to a dictionary during the iteration: what it adds is saved now or by its own call.
            # An OrderedDict's message says "mutated": moto has both kinds.
            if not any(sign in str(error) for sign in ("changed size", "mutated")) or attempt == 19:
                raise
    raise AssertionError("unreachable")


def _backends_in_use() -> dict[str, BackendDict[Any]]:
    """Return each BackendDict that has a backend, by moto's name of the service."""
    instances: list[BackendDict[Any]] = BackendDict._instances  # type: ignore[misc]
    # service_name is the name that SDKs know ("lambda", though moto's module is awslambda).
    return {backends.service_name: backends for backends in list(instances) if len(backends)}


def _all_backends() -> Iterator[tuple[tuple[str, str, str], BaseBackend]]:
    for service, backends in _backends_in_use().items():
        for account_id, region, backend in list(backends.iter_backends()):
            yield (service, account_id, region), backend


def _find_backend(service: str, account_id: str, region: str) -> BaseBackend:
    backend: BaseBackend = get_backend(service)[account_id][region]  # type: ignore[call-overload]
    return backend


def _find_managed_policy(account_id: str, arn: str) -> Any:
    partition = arn.split(":")[1]
    return get_backend("iam")[account_id][partition].managed_policies[arn]


def _load_key(pem: bytes) -> Any:
    return load_pem_private_key(pem, None)


def _new_dictionary(kind: type[Any], default_factory: Any) -> Any:
    dictionary: Any = kind.__new__(kind)  # type: ignore[call-overload]
    dictionary.default_factory = default_factory
    return dictionary


def sealed(content: bytes) -> bytes:
    """Return `content` as a file holds it: after a line with the version and a checksum."""
    return _MAGIC + f"{VERSION} {_digest(content).hex()}\n".encode() + content


def read_saved(file: Path) -> bytes:
    """Return the content that was `sealed` in `file`.

    Raises:
        StateRefused: the file is of another version.
        StateDamaged: the content is not what was written.
    """
    header, _, content = file.read_bytes().partition(b"\n")
    if not header.startswith(_MAGIC):
        raise StateDamaged(file, ValueError("it does not begin like a state file"))
    version, _, digest = header[len(_MAGIC) :].decode(errors="replace").partition(" ")
    if version != VERSION:
        raise StateRefused(file, version, VERSION)
    if digest != _digest(content).hex():
        raise StateDamaged(file, ValueError("its content does not match its checksum"))
    return content


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()
