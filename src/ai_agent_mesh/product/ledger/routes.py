"""The ledger over HTTP: a tenant's own entries, and the key they are signed with."""

from litestar import get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from ai_agent_mesh.plumbing.http import Cursor, Limit, Paged, Work, page_of
from ai_agent_mesh.product.ledger.ports import Wiring
from ai_agent_mesh.product.ledger.service import Evident, Ledger, PublicKey, public_key

Wired = NamedDependency[SkipValidation[Wiring]]


@get("/v1/ledger/entries", summary="List the tenant's ledger entries, newest first")
async def list_entries(unit: Work, limit: Limit = None, cursor: Cursor = None) -> Paged[Evident]:
    """Return numbered entries with their verbatim bytes, the newest once it has its number."""
    return await Ledger(await unit.begin()).entries(page_of(limit, cursor))


@get("/v1/ledger/key", summary="Read the public key that the ledger is signed with")
async def read_key(mesh: Wired) -> PublicKey:
    """Return the Ed25519 public key; receipts and exports are checked with it."""
    return public_key(mesh.signer)
