"""A creating request that comes twice under one key has one effect and one answer.

The key's row is written in the transaction of the change itself. A second request with the same key
waits at the row until the first has ended, and then finds its answer, or nothing if it failed. A
route that waits for something outside lets the claim go meanwhile, and claims again afterwards: of
two that waited at once, the later one finds the answer of the earlier.
"""

from hashlib import sha256

from ai_agent_mesh.api.exchange import Answer, Exchange
from ai_agent_mesh.kernel.errors import Conflict, Fault, Invalid
from ai_agent_mesh.plumbing.postgres import Database, Tx

_REPLAYED = (b"idempotency-replayed", b"true")
_KEPT = frozenset({b"content-type", b"location", b"etag"})


class IdempotencyKeyMalformed(Invalid):
    """Idempotency-Key must be 1 to 255 visible ASCII characters."""


class IdempotencyKeyReused(Conflict):
    """This Idempotency-Key came with another request before."""


class AnsweredOnce(Conflict):
    """This was created before under the same Idempotency-Key; its secret was shown once."""


class AnsweredBefore(Conflict):
    """This was answered before under the same Idempotency-Key."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class Claim:
    """A request's hold on its key; `answer` is what an earlier request got under it, if one did."""

    def __init__(self, key: str, exchange: Exchange) -> None:
        self.key = key
        self.answer: Answer | None = None
        self._exchange = exchange

    async def take(self, tx: Tx) -> None:
        """Claim the key in a transaction.

        Raises:
            AnsweredBefore: `answer` says what.
            IdempotencyKeyReused, AnsweredOnce: as `recall` does.
        """
        self.answer = await recall(tx, self.key, self._exchange)
        if self.answer is not None:
            raise AnsweredBefore(self.answer)


def key_of(exchange: Exchange) -> str | None:
    """Return the request's key, or None where none was sent or the route does not create.

    Raises:
        IdempotencyKeyMalformed: it is empty, too long, or not visible ASCII.
    """
    route = exchange.match.route
    text = exchange.header(b"idempotency-key")
    if text is None or route is None or not route.creates:
        return None
    if not (0 < len(text) <= 255 and text.isascii() and text.isprintable()):
        raise IdempotencyKeyMalformed(faults=[Fault("Idempotency-Key", "is malformed")])
    return text


def _request_digest(exchange: Exchange) -> bytes:
    said = f"{exchange.method} {exchange.path}\n".encode() + exchange.scope["query_string"]
    return sha256(said + b"\n" + exchange.body).digest()


async def recall(tx: Tx, key: str, exchange: Exchange) -> Answer | None:
    """Return the answer that this key got before, or claim the key and return None.

    Raises:
        IdempotencyKeyReused: the key stands for a different request.
        AnsweredOnce: the answer held a secret and was not kept.
    """
    digest = _request_digest(exchange)
    if await tx.execute(
        "INSERT INTO idempotency (key, request) VALUES ($1, $2) ON CONFLICT DO NOTHING", key, digest
    ):
        return None
    row = await tx.fetchrow(
        "SELECT request, status, headers, body FROM idempotency"
        " WHERE tenant_id = mesh_tenant() AND key = $1",
        key,
    )
    if row is None or row["request"] != digest:
        raise IdempotencyKeyReused
    if row["body"] is None:
        raise AnsweredOnce
    headers = [(name.encode(), value.encode()) for name, value in row["headers"].items()]
    return Answer(row["status"], [*headers, _REPLAYED], row["body"])


async def remember(tx: Tx, key: str, answer: Answer, *, secret: bool) -> None:
    """Keep the answer under its key, in the transaction of the change; a secret's is not kept."""
    headers = {n.decode(): v.decode("latin-1") for n, v in answer.headers if n in _KEPT}
    await tx.execute(
        "UPDATE idempotency SET status = $2, headers = $3, body = $4"
        " WHERE tenant_id = mesh_tenant() AND key = $1",
        key,
        answer.status,
        headers,
        None if secret else answer.body,
    )


async def forget(ledger: Database) -> int:
    """Drop the keys that are older than a day, of all tenants; return how many there were."""
    async with ledger.transaction() as tx:
        return await tx.execute(
            "DELETE FROM idempotency WHERE created_at < now() - '1 day'::interval"
        )
