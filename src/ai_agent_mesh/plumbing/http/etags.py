"""Entity tags: an update says which version it was made from, and loses no other's work."""

from ai_agent_mesh.kernel.errors import Conflict


class PreconditionFailed(Conflict):
    """It has changed since: it is at version {version} now."""


class PreconditionRequired(Conflict):
    """Say which version you change: send If-Match with the ETag that you read."""


def tag(version: int) -> str:
    """Return the entity tag of a version."""
    return f'"{version}"'


def require(if_match: str | None, version: int) -> None:
    """Let a change pass only when it was made from the present version (`*` passes any).

    Raises:
        PreconditionRequired: no version was said.
        PreconditionFailed: another version is current.
    """
    if if_match is None:
        raise PreconditionRequired
    tags = {part.strip().removeprefix("W/") for part in if_match.split(",")}
    if "*" not in tags and tag(version) not in tags:
        raise PreconditionFailed(version=version)
