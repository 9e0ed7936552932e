"""What is made for the one who starts: the first tenant with its owner's key, the probe's key."""

from ai_agent_mesh.cli.up.announcement import FirstTenant
from ai_agent_mesh.operations.statements import PROBE
from ai_agent_mesh.plumbing.http import page_of
from ai_agent_mesh.product.governance import Policies
from ai_agent_mesh.product.identity import Tenants, bootstrap, renew_probe_key
from ai_agent_mesh.settings import Settings
from ai_agent_mesh.sla import TierName
from ai_agent_mesh.wiring import Mesh


async def fresh_probe_key(settings: Settings) -> str:
    """Return the text of a new key for the probe; those of earlier starts end."""
    async with Mesh.open(settings, roomy=False) as mesh:
        async with mesh.app.tenant(PROBE) as tx:
            # A built-in tenant was never created, so nobody gave it the policies to start with.
            await Policies(tx).install_starter()
        return (await renew_probe_key(mesh)).text


async def first_tenant(settings: Settings) -> FirstTenant:
    """Make the first tenant where there is none; its key is in the answer that once only.

    It stands on the tier without a limit, so that whoever tries things out does not run into one.
    """
    async with Mesh.open(settings, roomy=False) as mesh:
        made = await bootstrap(mesh, tier=TierName.ENTERPRISE)
        if made:
            return FirstTenant(id=made.tenant.id, name=made.tenant.name, key=made.issued.text)
        async with mesh.operations.transaction() as tx:
            oldest = (await Tenants(tx, mesh.clock).list(page_of(None, None))).items
    tenant = next(each for each in oldest if not each.built_in)
    return FirstTenant(id=tenant.id, name=tenant.name, key=None)
