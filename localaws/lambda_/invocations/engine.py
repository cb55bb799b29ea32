"""The functions engine: invokes functions, keeps workers warm, and retries asynchronous events until they are done."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from moto.awslambda.exceptions import UnknownFunctionException

from localaws.core import runtimes
from localaws.core.context import Context
from localaws.lambda_.event_source_mappings import enabled_mappings
from localaws.lambda_.functions import AsynchronousSettings, LocalLambdaFunction, deployed_code, local_function
from localaws.lambda_.invocations import asynchronous
from localaws.lambda_.invocations.asynchronous import Event, EventQueue
from localaws.lambda_.invocations.code import CodeStore
from localaws.lambda_.invocations.destinations import Condition, Deliver, send
from localaws.lambda_.invocations.logs import LogShipper
from localaws.lambda_.invocations.pool import Pool
from localaws.lambda_.invocations.queue_pollers import Interrupted, Mappings, NotNow, QueueMapping, Unavailable
from localaws.lambda_.invocations.spec import FunctionSpec, Invocation, Result
from localaws.lambda_.invocations.worker import Worker
from localaws.lambda_.ports import find_function
from localaws.lambda_.roles import SENDS, allows, missing_to_read

log = logging.getLogger(__name__)

_SWEEP_SECONDS = 30.0


class Throttled(Exception):
    """The function's reserved concurrency is used up."""


class FunctionsEngine:
    """All functions of one lab."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.code = context.add(CodeStore(context.home))
        self._pools: dict[tuple[str, str, str, str], Pool] = {}
        self._running: Counter[tuple[str, str, str]] = Counter()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._shipper = LogShipper(context)
        self._events = EventQueue(context.home.state / "function-events.sqlite", self._handle)
        self._mappings = Mappings(
            lambda: context.ports.queues, enabled_mappings, self._invoke_batch, self._check_mapping
        )

    def start(self) -> None:
        """Forget code that no function uses any more. `resume` does the rest."""
        self.code.forget(keep=deployed_code())
        threading.Thread(target=self._sweep, name="function-sweep", daemon=True).start()

    def resume(self) -> None:
        """Run asynchronous events, including those of an earlier server. Call this when all engines run."""
        self._events.start()

    def poll_queues(self) -> None:
        """Start to read the queues of event source mappings."""
        self._mappings.start()

    def stop(self) -> None:
        """End all workers. Waiting events are kept."""
        self._stopped.set()
        self._mappings.stop()
        self._events.stop()
        with ThreadPoolExecutor() as stoppers:
            list(stoppers.map(Pool.retire, list(self._pools.values())))
        self._shipper.stop()

    def exists(self, account_id: str, arn: str) -> bool:
        """Whether the function (version, alias) exists."""
        return find_function(account_id, arn) is not None

    def invoke(
        self, function: LocalLambdaFunction, arn: str, payload: bytes, *, client_context: str | None = None
    ) -> Result:
        """Run `function`, which the caller named as `arn`, with `payload` (JSON), and wait for the result.

        Raises:
            Throttled: its reserved concurrency is used up.
            OSError: a worker can't be started.
        """
        return self._run(function, Invocation(payload, arn, client_context))

    def invoke_async(self, function_arn: str, payload: bytes) -> str:
        """Accept an event for the function (version, alias) `function_arn`, durably. Return its request id."""
        request_id = str(uuid.uuid4())
        self._events.add(Event(request_id, function_arn, payload or b"{}", time.time()))
        return request_id

    def refresh_mappings(self) -> None:
        """Read only the queues of the event source mappings that exist now."""
        self._mappings.refresh()

    def forget(self, account_id: str, region: str, name: str) -> None:
        """End the workers of a function that is deleted or changed."""
        with self._lock:
            keys = [key for key in self._pools if key[:3] == (account_id, region, name)]
            pools = [self._pools.pop(key) for key in keys]
        for pool in pools:
            pool.retire()

    def _run(self, function: LocalLambdaFunction, invocation: Invocation) -> Result:
        spec = function.spec()
        with self._admitted(function), self._pool(spec).worker() as worker:
            return worker.run(invocation)

    @contextmanager
    def _admitted(self, function: LocalLambdaFunction) -> Iterator[None]:
        """Count an invocation against the function's reserved concurrency."""
        key = (function.account_id, function.region, function.function_name)
        with self._lock:
            limit = function.reserved_concurrency
            if limit is not None and self._running[key] >= int(limit):
                raise Throttled(function.function_name)
            self._running[key] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[key] -= 1

    def _pool(self, spec: FunctionSpec) -> Pool:
        with self._lock:
            known = self._pools.get(spec.key)
            if known is not None and known.spec == spec:
                return known
            pool = self._pools[spec.key] = Pool(spec, self._start_worker)
        if known is not None:
            known.retire()
        return pool

    def _start_worker(self, spec: FunctionSpec) -> Worker:
        return Worker(spec, self._context, self.code, self._runtime, self._shipper)

    @cached_property
    def _runtime(self) -> Path:
        return runtimes.function_path(self._context.home)

    def _handle(self, event: Event) -> tuple[float, bool] | None:
        """Try `event` once; see `EventQueue`."""
        try:
            function = local_function(event.function_arn)
        except UnknownFunctionException:
            log.warning("Event %s is lost: %s is gone", event.request_id, event.function_arn)
            return None
        settings = function.asynchronous_settings()
        try:
            result = self._run(function, Invocation(event.payload, event.function_arn, request_id=event.request_id))
        except Throttled:
            # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
            if function.reserved_concurrency is not None and int(function.reserved_concurrency) == 0:
                condition = Condition.NO_CONCURRENCY
            elif event.age >= settings.maximum_age:
                condition = Condition.AGE_EXCEEDED
            else:
                return time.time() + asynchronous.backoff(event), False
            send(self._context, settings.destinations, event, None, condition, self._deliver_for(function))
            return None
        if result.failed and self._stopped.is_set():  # `stop` ended its worker
            return event.due, False
        return self._settle(replace(event, attempts=event.attempts + 1), function, settings, result)

    def _deliver_for(self, function: LocalLambdaFunction) -> Deliver:
        """Return how outcomes are sent: only to where `function`'s role may send."""

        def check(arn: str) -> None:
            action = SENDS.get(arn.split(":")[2])
            if action and not allows(function, action, arn):
                raise PermissionError(f"{function.role} may not {action} there")

        return Deliver(check, self.invoke_async)

    def _check_mapping(self, mapping: QueueMapping) -> None:
        function = self._mapped_function(mapping.function_arn)
        if missing := missing_to_read(function, mapping.queue_arn):
            raise Unavailable(f"{function.role} may not {missing} of {mapping.queue_arn}")

    def _mapped_function(self, arn: str) -> LocalLambdaFunction:
        try:
            return local_function(arn)
        except UnknownFunctionException as error:
            raise Unavailable(f"{arn} is gone") from error

    def _invoke_batch(self, arn: str, payload: bytes) -> bytes | None:
        """Run a function with a batch of messages; see `queue_pollers.Invoke`."""
        try:
            result = self._run(self._mapped_function(arn), Invocation(payload, arn))
        except Throttled as error:
            raise NotNow(str(error)) from error
        except RuntimeError as error:  # no child processes are started any more
            if self._stopped.is_set():
                raise Interrupted() from error
            raise
        if result.failed and self._stopped.is_set():  # `stop` ended its worker
            raise Interrupted()
        return None if result.failed else result.payload

    def _settle(
        self, tried: Event, function: LocalLambdaFunction, settings: AsynchronousSettings, result: Result
    ) -> tuple[float, bool] | None:
        """Decide what follows an attempt: a retry, or the end of the event."""
        if not result.failed:
            condition = Condition.SUCCESS
        elif tried.attempts > settings.maximum_retries:
            condition = Condition.RETRIES_EXHAUSTED
        elif tried.age >= settings.maximum_age:
            condition = Condition.AGE_EXCEEDED
        else:
            delays = asynchronous.retry_delays()
            return time.time() + delays[min(tried.attempts, len(delays)) - 1], True
        send(self._context, settings.destinations, tried, result, condition, self._deliver_for(function))
        return None

    def _sweep(self) -> None:
        while not self._stopped.wait(_SWEEP_SECONDS):
            for pool in list(self._pools.values()):
                pool.stop_idle()
