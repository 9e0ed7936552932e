"""What was counted from files, read back."""

from collections.abc import Mapping

from ai_agent_mesh.operations.replay.engine import Engine
from ai_agent_mesh.operations.replay.model import Reading
from ai_agent_mesh.operations.statements import PROBE, Calls
from ai_agent_mesh.sla import Category, MinuteCount, Service, moment_of

_JUDGED = "reason IS NULL AND owner IN ($owner, $probe)"


class CountStore:
    """Reads the table `counted` of an engine. An owner is a tenant, or "" for all as one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def sort(self) -> None:
        """Lay each owner's rows side by side: thousands of owners are not looked up in all rows."""
        self._engine.run("CREATE TABLE sorted AS SELECT * FROM counted ORDER BY owner")
        self._engine.run("DROP TABLE counted; ALTER TABLE sorted RENAME TO counted")

    def minutes(self, owner: str) -> tuple[MinuteCount, ...]:
        """Return every minute that has rows of an owner or of the probe."""
        sql = f"""
SELECT minute, service, sum(valid)::BIGINT, sum(bad)::BIGINT FROM counted
WHERE {_JUDGED} GROUP BY 1, 2 ORDER BY 1, 2"""
        known = {service.value: service for service in Service}
        return tuple(
            MinuteCount(minute, known[service], valid, bad)
            for minute, service, valid, bad in self._engine.run(sql, _of(owner))
        )

    def calls(self, owner: str) -> tuple[Calls, ...]:
        """Return the sums by service and category."""
        sql = f"""
SELECT service, category, sum("rows")::BIGINT, sum(valid)::BIGINT, sum(bad)::BIGINT,
  sum(timed)::BIGINT, sum(p50)::BIGINT, sum(p95)::BIGINT, sum(p99)::BIGINT
FROM counted WHERE {_JUDGED} GROUP BY 1, 2 ORDER BY 1, 2"""
        return tuple(
            Calls(Service(service), Category(category), *sums)
            for service, category, *sums in self._engine.run(sql, _of(owner))
        )

    def first_probes(self) -> Mapping[Service, int]:
        """Return the minute of the probe's first row for each service, wherever it lies."""
        sql = """
SELECT service, min(earliest) FROM counted
WHERE owner = $probe AND service IS NOT NULL GROUP BY 1"""
        rows = self._engine.run(sql, {"probe": PROBE})
        return {Service(service): first for service, first in rows}

    def spoken(self, service: Service) -> set[int]:
        """Return the minutes in which the probe left a row of a service."""
        sql = """
SELECT DISTINCT minute FROM counted
WHERE owner = $probe AND service = $service AND reason IS NULL"""
        parameters = {"probe": PROBE, "service": service.value}
        return {minute for (minute,) in self._engine.run(sql, parameters)}

    def owners(self) -> list[str]:
        """Return every owner but the probe that has judged rows."""
        sql = """
SELECT DISTINCT owner FROM counted WHERE reason IS NULL AND owner <> $probe ORDER BY 1"""
        return [owner for (owner,) in self._engine.run(sql, {"probe": PROBE})]

    def reading(self, files: tuple[str, ...], unread: tuple[str, ...]) -> Reading:
        """Return how many rows there were, and what became of them."""
        rows = self._engine.run(
            'SELECT reason, sum("rows")::BIGINT FROM counted GROUP BY 1 ORDER BY 1'
        )
        ignored = {reason: count for reason, count in rows if reason is not None}
        ((judged, first, last, one, other),) = self._engine.run(
            """
SELECT coalesce(sum("rows"), 0)::BIGINT, min(minute), max(minute),
  min(tenant_from) FILTER (owner <> $probe), max(tenant_to) FILTER (owner <> $probe)
FROM counted WHERE reason IS NULL""",
            {"probe": PROBE},
        )
        return Reading(
            files=files,
            rows=judged + sum(ignored.values()),
            judged=judged,
            ignored=ignored,
            first=None if first is None else moment_of(first),
            last=None if last is None else moment_of(last),
            unread=unread,
            pooled=one != other,
        )


def _of(owner: str) -> dict[str, object]:
    return {"owner": owner, "probe": PROBE}
