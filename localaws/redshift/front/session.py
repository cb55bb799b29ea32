"""One client's session: handles its login and its messages, and rewrites the statements in them.

Clients may pipeline, so the two directions run independently: this module reads the client's messages and forwards
them; `upstream.py` passes PostgreSQL's responses back. COPY and UNLOAD, which PostgreSQL can't run, need exclusive use
of the PostgreSQL session: they wait until all responses to earlier messages have been passed on.
"""

from __future__ import annotations

import asyncio
import struct

from localaws.redshift import dialect
from localaws.redshift.errors import SqlError
from localaws.redshift.front import backend, login, wire
from localaws.redshift.front.client import LONGEST_PASSWORD, Client
from localaws.redshift.front.runner import fail, resolve_aliases, run_special
from localaws.redshift.front.shared import Shared
from localaws.redshift.front.upstream import Upstream

SEND_BATCH = 64 * 1024
LONG = 64 * 1024  # bytes; parsing a longer statement takes noticeable time
LOGIN_TIMEOUT = 60.0
NO_TYPES = b"\0\0"  # no parameter types, in a Parse


class Session:
    """One client, from its first byte to its last."""

    def __init__(self, shared: Shared, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._shared = shared
        self._client = Client(reader, writer)
        self._writer = writer
        self._skipping = False  # after an error in an extended query, until the next Sync
        self._prepared: dict[bytes, dialect.Statement] = {}
        self._portals: dict[bytes, dialect.Statement] = {}

    async def run(self) -> None:
        """Serve the client until it leaves.

        Raises:
            ConnectionError, IncompleteReadError, TimeoutError: the client left in the middle, or did not log in.
        """
        try:
            async with asyncio.timeout(LOGIN_TIMEOUT):
                parameters = await self._startup()
                if parameters is None:
                    return
                opened = await self._log_in(parameters)
        except SqlError as failure:
            self._writer.write(wire.error(failure))
            return
        except backend.LoginRefused as refused:
            self._writer.write(refused.response)
            return
        if opened is None:
            return
        self.upstream = Upstream(
            self._shared.workers,
            opened,
            self._writer,
            is_redshift_driver="client_protocol_version" in parameters,
            on_lost=self._writer.close,
        )
        self._shared.upstreams[opened.key] = self.upstream
        listener = asyncio.create_task(self._listen())
        try:
            await self._converse()
        except SqlError as failure:  # the client broke the protocol
            self._writer.write(wire.error(failure))
        finally:
            listener.cancel()
            self._shared.upstreams.pop(opened.key, None)
            self.upstream.close()

    # --- login --------------------------------------------------------------------------------------------------

    async def _startup(self) -> dict[str, str] | None:
        """Return the parameters of the StartupMessage; None if this was a CancelRequest or not a PostgreSQL client."""
        packet = await self._client.startup(self._shared.tls)
        if packet is None:
            return None
        code, body = packet
        if code == wire.CANCEL_REQUEST:
            await self._shared.cancel(body)
            return None
        if code >> 16 != 3:
            version = f"{code >> 16}.{code & 0xFFFF}"
            raise SqlError("0A000", f"unsupported frontend protocol {version}", severity="FATAL")
        parameters = wire.parse_startup(body)
        self._negotiate_version(code, parameters)
        return parameters

    def _negotiate_version(self, code: int, parameters: dict[str, str]) -> None:
        """Offer version 3.0, without options, to a client that asks for a later version or for protocol options."""
        unknown = [name for name in parameters if name.startswith("_pq_.")]
        if code != wire.PROTOCOL_3_0 or unknown:
            body = struct.pack("!II", wire.PROTOCOL_3_0, len(unknown)) + b"".join(map(wire.string, unknown))
            self._writer.write(wire.message(wire.NEGOTIATE_PROTOCOL, body))

    async def _log_in(self, parameters: dict[str, str]) -> backend.Login | None:
        user = parameters.get("user", "")
        if not user:
            raise SqlError(login.INVALID, "no PostgreSQL user name specified in startup packet", severity="FATAL")
        database = parameters.get("database") or login.database_user(user)
        if not self._client.encrypted:
            # The default parameter group has require_ssl on since January 2025.
            # https://docs.aws.amazon.com/redshift/latest/mgmt/connecting-ssl-support.html
            refused = f'no pg_hba.conf entry for host "127.0.0.1", user "{user}", database "{database}", SSL off'
            raise SqlError(login.INVALID, refused, severity="FATAL")
        challenge = login.Challenge.for_user(user)
        self._writer.write(challenge.request())
        await self._writer.drain()
        kind, body = await self._client.read_message(LONGEST_PASSWORD)
        if kind != wire.PASSWORD:
            return None
        answer = body.rstrip(b"\0").decode(errors="replace")
        configuration = self._shared.configuration
        try:
            await self._shared.workers.run_short(login.authenticate, configuration, user, database, challenge, answer)
            return await self._shared.workers.run_short(login.open_session, configuration, parameters, user, database)
        except OSError as gone:
            raise SqlError("57P03", "the database system is starting up", severity="FATAL") from gone

    # --- the client's messages ----------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Read the client's messages, and notice when it leaves, even while a statement runs."""
        await self._client.listen()
        if self.upstream.active:
            await self._shared.cancel(self.upstream.key)
        self.upstream.close()
        self._client.left()

    async def _converse(self) -> None:
        while True:
            if self._client.quiet or self.upstream.outgoing > SEND_BATCH:
                await self.upstream.flush()
            received = await self._client.next()
            if received is None or received[0] == wire.TERMINATE:
                return
            kind, body = received
            if kind == wire.QUERY:
                self._skipping = False
                self.upstream.synchronize()
                await self._simple(wire.whole_string(body))
            elif kind == wire.SYNC:
                self._skipping = False
                self.upstream.send_ending(wire.message(kind, body))
            elif kind == wire.FUNCTION_CALL:
                self._skipping = False
                self.upstream.synchronize()
                self.upstream.send_ending(wire.message(kind, body))
            elif kind not in wire.FROM_CLIENT:
                raise wire.violation(f"invalid frontend message type {kind[0]}")
            elif not self._skipping and kind not in (wire.COPY_DATA, wire.COPY_DONE, wire.COPY_FAIL):
                # A client never has a COPY FROM STDIN open, so messages for one are dropped.
                await self._extended(kind, body)

    async def _extended(self, kind: bytes, body: bytes) -> None:
        if kind == wire.PARSE:
            await self._parse(body)
            return
        if kind == wire.BIND:
            portal, statement, _ = wire.two_strings(body)
            if statement in self._prepared:
                self._portals[portal] = self._prepared[statement]
            else:
                self._portals.pop(portal, None)
        elif kind == wire.CLOSE:
            (self._prepared if body[:1] == b"S" else self._portals).pop(body[1:-1], None)
        elif kind == wire.EXECUTE:
            special = self._portals.get(body.partition(b"\0")[0])
            if special is not None:
                await self.upstream.barrier()
                self._skipping = self.upstream.failed or not await self._run_special(special)
                return
        self.upstream.send(wire.message(kind, body))

    async def _parse(self, body: bytes) -> None:
        name, text, types = wire.two_strings(body)
        try:
            statements = await self._statements(text)
            if len(statements) > 1:
                raise SqlError("42601", "cannot insert multiple commands into a prepared statement")
        except SqlError as failure:
            await self.upstream.barrier()
            if not self.upstream.failed:
                await self._fail(failure)
            self._skipping = True
            return
        self._prepared.pop(name, None)
        if statements and statements[0].special:
            # PostgreSQL prepares an empty statement instead, so that it answers Parse, Bind and Describe in order.
            self._prepared[name] = statements[0]
            self.upstream.send_parse(wire.message(wire.PARSE, name + b"\0\0" + types), None)
            return
        statements = await self._with_aliases(statements, types)
        if self._skipping:
            return
        rewritten = dialect.join(statements)
        parse = name + b"\0" + rewritten.text.encode() + b"\0" + types
        self.upstream.send_parse(wire.message(wire.PARSE, parse), rewritten)

    async def _simple(self, text: bytes) -> None:
        try:
            statements = await self._statements(text)
        except SqlError as failure:
            await self.upstream.barrier()
            await self._fail(failure)
            self._writer.write(wire.ready(self.upstream.status))
            return
        if not any(statement.special for statement in statements):
            statements = await self._with_aliases(statements, NO_TYPES)
            self._skipping = False
            rewritten = dialect.join(statements)
            self.upstream.send_ending(wire.query(rewritten.text), source=rewritten)
            return
        await self.upstream.barrier()
        await self._script(statements)
        self._writer.write(wire.ready(self.upstream.status))
        await self._writer.drain()

    async def _with_aliases(self, statements: list[dialect.Statement], types: bytes) -> list[dialect.Statement]:
        """Return the statements with references to aliases expanded; PostgreSQL is asked which names are references."""
        if not any(statement.aliases for statement in statements):
            return statements
        await self.upstream.barrier()
        self._skipping = self.upstream.failed
        return [
            await self.upstream.exclusively(resolve_aliases(statement, types)) if statement.aliases else statement
            for statement in statements
        ]

    async def _statements(self, text: bytes) -> list[dialect.Statement]:
        escapes = self.upstream.backslash_escapes
        try:
            if len(text) > LONG:  # in a thread, so that other sessions don't wait
                return await self._shared.workers.run_statement(dialect.parse, text.decode(), backslash_escapes=escapes)
            return dialect.parse(text.decode(), backslash_escapes=escapes)
        except UnicodeDecodeError as error:
            raise SqlError("22021", 'invalid byte sequence for encoding "UTF8"') from error

    async def _script(self, statements: list[dialect.Statement]) -> None:
        """Run the statements of one Query, a COPY or UNLOAD among them; all or none take effect, as in PostgreSQL."""
        controls = any(statement.controls_transaction for statement in statements)
        wrap = len(statements) > 1 and self.upstream.status == wire.IDLE and not controls
        if wrap:
            await self.upstream.exclusively(lambda session: session.execute("begin"))
        succeeded = True
        for statement in statements:
            self.upstream.failed = False
            if statement.special:
                succeeded = await self._run_special(statement)
            else:
                rewritten = dialect.join([statement])
                self.upstream.send_ending(wire.query(rewritten.text), source=rewritten, swallow=True)
                await self.upstream.barrier()
                succeeded = not self.upstream.failed
            if not succeeded:
                break
        self.upstream.failed = False
        if wrap:
            ending = "commit" if succeeded else "rollback"
            await self.upstream.exclusively(lambda session: session.execute(ending))

    async def _run_special(self, statement: dialect.Statement) -> bool:
        """Run a COPY or UNLOAD and send the result to the client; return False if it failed."""
        try:
            work = run_special(statement, self._shared.special_statements, self._shared.context)
            result = await self.upstream.exclusively(work)
        except SqlError as failure:
            self._writer.write(wire.error(failure))
            return False
        notices = b"".join(wire.notice(said) for said in result.notices)
        self._writer.write(notices + wire.message(wire.COMMAND_COMPLETE, wire.string(result.tag)))
        await self._writer.drain()
        return True

    async def _fail(self, failure: SqlError) -> None:
        """Send an error that the front found, and abort the client's transaction."""
        await self.upstream.exclusively(fail(failure))
        self._writer.write(wire.error(failure))
