"""What routes take again and again: the unit of work, a page, the version that was read."""

from typing import Annotated

from litestar.di import NamedDependency
from litestar.params import FromQuery, HeaderParameter

from ai_agent_mesh.plumbing.http.unit import Unit

Work = NamedDependency[Unit]
Limit = FromQuery[int | None]
Cursor = FromQuery[str | None]
IfMatch = Annotated[str | None, HeaderParameter(name="If-Match", description="The ETag read")]
