"""The wrapper around everything that answers: no call passes it without its ledger entry.

Litestar's own middleware does not see unknown paths and wrong methods, so this is a plain ASGI
application around it. What a call changes and the call's entry are committed together; every other
entry goes into the next batch. The answer leaves only when its entry is durable.
"""

import structlog

from ai_agent_mesh.api import body, idempotency
from ai_agent_mesh.api.exchange import Answer, App, Exchange, Message, Receive, Scope, Send
from ai_agent_mesh.api.facts import (
    MethodNotAllowed,
    PermissionMissing,
    RateLimited,
    RouteMissing,
    Unexpected,
)
from ai_agent_mesh.api.ports import Wiring
from ai_agent_mesh.api.strangers import Strangers
from ai_agent_mesh.api.streaming import Streams
from ai_agent_mesh.api.table import Table, counted, service_of
from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.plumbing.http import Unit
from ai_agent_mesh.plumbing.observe import bound
from ai_agent_mesh.plumbing.postgres import OutcomeUnknown
from ai_agent_mesh.product.identity import key_headers, key_terms, rate_headers
from ai_agent_mesh.product.ledger import Entry, Inbox, Kind, LedgerUnavailable, Receipt
from ai_agent_mesh.sla import Category, Fault, fault_of_status

log = structlog.get_logger(__name__)

#: Whose entries the calls of unknown callers are.
NOBODY, PROBE = "platform", "probe"


class Door:
    """Stands before the application `inner` and lets calls in and answers out."""

    def __init__(self, inner: App, mesh: Wiring, table: Table | None = None) -> None:
        self._inner = inner
        self._mesh = mesh
        self._table = table or Table()
        self._key_terms = key_terms(mesh.playbook)
        self._streams = Streams(mesh, self._append)
        # Unknown keys may take a quarter of the connections, and never all of them.
        self._strangers = Strangers(mesh.playbook, self._append, max(1, mesh.app.size // 4))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI connection."""
        if scope["type"] != "http" or not counted(scope["path"]):
            await self._inner(scope, receive, send)
            return
        exchange = Exchange.of(scope)
        try:
            answer = await self._answered(exchange, receive)
            if answer.stream is None or exchange.method == "HEAD":
                await answer.send(send, bodiless=exchange.method == "HEAD")
            else:
                await self._streams.pour(exchange, answer, receive, send)
        finally:
            await self._streams.end(exchange)

    async def _answered(self, exchange: Exchange, receive: Receive) -> Answer:
        """Return the answer, sealed, with its entry durable."""
        self._mesh.metrics.in_flight += 1
        try:
            with bound(exchange.trace):
                answer = await self._answer(exchange, receive)
                return await self._close(exchange, answer)
        finally:
            self._mesh.metrics.in_flight -= 1

    async def _answer(self, exchange: Exchange, receive: Receive) -> Answer:
        try:
            await self._admit(exchange, receive)
            return await self._serve(exchange)
        except Fact as fact:
            return self._problem(exchange, fact)
        except Exception:
            log.exception("request.failed", route=exchange.path)
            return self._problem(exchange, Unexpected())

    async def _admit(self, exchange: Exchange, receive: Receive) -> None:
        """Let the request in: its size, its caller, their allowance, their right."""
        mesh = self._mesh
        exchange.match = self._table.match(exchange.method, exchange.inner)
        exchange.check_whole()
        exchange.check_headers()
        body.announced(exchange, mesh.playbook.limits.request_bytes)
        authorization = exchange.header(b"authorization")
        principal = mesh.authenticator.remembered(authorization)
        if principal is None:
            async with self._strangers.look_up(exchange.client):
                principal = await mesh.authenticator.authenticate(authorization)
        exchange.principal = principal
        allowance = await mesh.allowances.take(principal.tenant_id, principal.tier)
        exchange.allowance = allowance
        if not allowance.allowed:
            mesh.metrics.rate_limited(principal.tier)
            raise RateLimited(limit=allowance.limit, retry_after_s=allowance.reset_s)
        route = exchange.match.route
        if route is None:
            if exchange.match.allowed:
                raise MethodNotAllowed(path=exchange.path, method=exchange.method)
            raise RouteMissing(path=exchange.path)
        if route.permission and not principal.permits(route.permission):
            raise PermissionMissing(permission=route.permission, role=str(principal.role))
        exchange.body = await body.read(exchange, receive, mesh.playbook.limits.request_bytes)
        if not route.text:
            body.check_json(exchange)

    async def _serve(self, exchange: Exchange) -> Answer:
        """Let the route answer, or give again what it answered before."""
        assert exchange.principal  # noqa: S101 - _admit has set it
        exchange.unit = Unit(
            self._mesh.app,
            exchange.principal.tenant_id,
            exchange.trace.trace_id,
            reading=exchange.reads,
        )
        key = idempotency.key_of(exchange)
        if key is None:
            return await self._route(exchange)
        claim = idempotency.Claim(key, exchange)
        exchange.unit.first = claim.take
        try:
            await exchange.unit.begin()
        except idempotency.AnsweredBefore as before:
            return before.answer
        answer = await self._route(exchange)
        if claim.answer is not None:  # another took the key while this one waited outside
            return claim.answer
        tx, route = exchange.unit.tx, exchange.match.route
        if tx is not None and route is not None and answer.status < 400:
            await idempotency.remember(tx, key, answer, secret=route.secret)
        return answer

    async def _route(self, exchange: Exchange) -> Answer:
        answer = Answer(500, [])
        parts: list[bytes] = []

        async def replay() -> Message:
            return {"type": "http.request", "body": exchange.body, "more_body": False}

        async def capture(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = list(message.get("headers", []))
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))

        scope = exchange.scope
        scope["path"] = exchange.inner
        scope["raw_path"] = exchange.inner.encode()
        if exchange.method == "HEAD":
            scope["method"] = "GET"
        scope["mesh.exchange"] = exchange
        await self._inner(scope, replay, capture)
        scope["method"] = exchange.method  # the connection's own, which sends no body after HEAD
        answer.body = b"".join(parts)
        answer.stream = self._streams.admit(exchange)
        answer.reason = scope.get("mesh.reason")
        return answer

    def _problem(self, exchange: Exchange, fact: Fact) -> Answer:
        if fact.upstream and exchange.unit is not None:
            exchange.unit.fault = Fault.UPSTREAM
        return Answer.of_fact(fact, exchange.request_id)

    async def _close(self, exchange: Exchange, answer: Answer) -> Answer:
        """Commit the change with its entry, or undo it and book the refusal; seal the answer."""
        try:
            receipt = await self._commit(exchange, answer)
        except Fact as fact:
            answer = self._problem(exchange, fact)
            receipt = await self._book(exchange, answer)
        except Exception:
            log.exception("commit.failed", route=exchange.path)
            answer = self._problem(exchange, Unexpected())
            receipt = await self._book(exchange, answer)
        answer.headers += self._seals(exchange, answer, receipt)
        return answer

    async def _commit(self, exchange: Exchange, answer: Answer) -> Receipt | None:
        unit = exchange.unit
        if unit is None or unit.tx is None:
            return await self._book(exchange, answer)
        if answer.status >= 400 or exchange.reads:
            await unit.undo()
            return await self._book(exchange, answer)
        entry = self._entry(exchange, answer)
        try:
            receipt = await Inbox.insert(unit.tx, entry)
            await unit.settle()
        except OutcomeUnknown:
            # The caller hears what became of it, not that it may have failed.
            if not await self._mesh.inbox.learn(entry):
                raise
        except BaseException:
            await unit.undo()
            raise
        self._count(entry)
        return receipt

    async def _book(self, exchange: Exchange, answer: Answer) -> Receipt | None:
        """Append the entry of a call that changed nothing; None when the ledger is out of reach."""
        entry = self._entry(exchange, answer)
        self._count(entry)
        if (
            exchange.principal is None
            and answer.status < 500
            and not self._strangers.refused(entry)
        ):
            return None
        try:
            return await self._mesh.inbox.append(entry)
        except LedgerUnavailable as fact:
            # Nothing is served unrecorded: the call is refused, and its refusal kept on this disk.
            refused = self._problem(exchange, fact)
            answer.status, answer.headers, answer.body, answer.reason, answer.stream = (
                refused.status, refused.headers, refused.body, refused.reason, None,
            )  # fmt: skip
            return await self._spool(self._entry(exchange, refused))

    async def _append(self, entry: Entry) -> None:
        """Book an entry that nobody waits for."""
        try:
            await self._mesh.inbox.append(entry)
        except LedgerUnavailable:
            await self._spool(entry)

    async def close(self) -> None:
        """Book what is counted and not yet written."""
        await self._streams.close()
        await self._strangers.close()

    async def _spool(self, entry: Entry) -> Receipt | None:
        try:
            return await self._mesh.spool.keep(entry)
        except LedgerUnavailable:
            log.exception("ledger.entry_lost", entry=entry.id)
            return None

    def _entry(self, exchange: Exchange, answer: Answer) -> Entry:
        route, principal, unit = exchange.match.route, exchange.principal, exchange.unit
        duration = exchange.elapsed_us
        fault = unit.fault if unit and unit.fault else fault_of_status(answer.status)
        return Entry(
            id=exchange.entry_id,
            kind=Kind.CALL,
            tenant=principal.tenant_id if principal else NOBODY,
            at=self._mesh.clock.now(),
            service=route.service if route else service_of(exchange.path),
            category=route.category if route else Category.OTHER,
            route=route.name if route else None,
            method=exchange.method[:16],
            path=exchange.path[:512],
            status=answer.status,
            fault=Fault(fault),
            duration_us=duration,
            latency_us=max(0, duration - (unit.waited_us if unit else 0)),
            actor=principal.actor_id if principal else None,
            role=str(principal.role) if principal else None,
            request_id=exchange.request_id,
            trace_id=exchange.trace.trace_id,
            client=exchange.client,
            reason=answer.reason,
            object=unit.object if unit else None,
            playbook=self._mesh.playbook.digest,
        )

    def _count(self, entry: Entry) -> None:
        self._mesh.metrics.request(
            str(entry.service), str(entry.category), entry.fault, entry.status or 0,
            entry.latency_us, at=entry.at, probe=entry.tenant == PROBE,
        )  # fmt: skip

    def _seals(
        self, exchange: Exchange, answer: Answer, receipt: Receipt | None
    ) -> list[tuple[bytes, bytes]]:
        seals = [
            (b"x-request-id", exchange.request_id.encode()),
            (b"traceparent", exchange.trace.traceparent.encode()),
            (b"cache-control", b"no-store"),
        ]
        if receipt is not None:
            seals.append((b"mesh-receipt", receipt.header.encode()))
        if exchange.allowance is not None:
            seals += rate_headers(exchange.allowance)
        elif answer.status == 429:
            seals.append((b"retry-after", b"1"))
        if exchange.principal is not None:
            seals += key_headers(exchange.principal, self._mesh.clock.now(), self._key_terms)
        if exchange.match.route is None and exchange.match.allowed and exchange.principal:
            seals.append((b"allow", ", ".join(exchange.match.allowed).encode()))
        return seals
