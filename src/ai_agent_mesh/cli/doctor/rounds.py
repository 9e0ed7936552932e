"""The order in which things are looked at."""

from ai_agent_mesh import playbook
from ai_agent_mesh.cli.doctor import machine
from ai_agent_mesh.cli.doctor.database import database
from ai_agent_mesh.cli.doctor.finding import Finding, State
from ai_agent_mesh.cli.doctor.waiting import promises
from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.settings import Settings
from ai_agent_mesh.wiring import NothingRuns, addresses


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything and return what was found, in the order of what depends on what."""
    findings = [machine.python(), machine.programs(settings), machine.folder(settings)]
    findings += machine.keys(settings)
    findings += [machine.rules(settings), await machine.port(settings)]
    if about_redis := await machine.redis(settings):
        findings.append(about_redis)
    try:
        login, owner = addresses(settings)
    except NothingRuns as fact:
        return [*findings, Finding("database", State.WARN, fact.detail, "Start `mesh up`.")]
    except Fact as fact:
        return [*findings, Finding("database", State.FAIL, fact.detail, "Run as its owner.")]
    try:
        book = playbook.load(settings.playbook)
    except (Fact, OSError):  # found above
        book = playbook.default()
    allowed = book.measurement.clock_difference
    below = [finding async for finding in database(login, owner, allowed)]
    findings += below
    if all(one.state is not State.FAIL for one in below):
        findings += [finding async for finding in promises(settings, login, book)]
    return findings
