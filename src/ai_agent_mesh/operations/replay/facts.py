"""What can be wrong with a file of records."""

from ai_agent_mesh.kernel.errors import Invalid


class FileUnusable(Invalid):
    """{file}: {reason}."""


class FileEmpty(Invalid):
    """{file}: is empty."""


class RowInvalid(Invalid):
    """{file}, {row}: {field} {reason}."""


class NothingToJudge(Invalid):
    """No record of {span} is in {files}: {reason}."""


class PathsInvalid(Invalid):
    """{file}, {row}: {field} {reason}."""
