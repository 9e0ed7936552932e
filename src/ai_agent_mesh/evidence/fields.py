"""What the values of a proof may be; anything else in a file is named where it stands."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

#: A moment that says its zone.
Moment = Annotated[datetime, Meta(tz=True)]
#: A count or a number that every reader of JSON holds exactly, also one whose numbers are doubles.
Whole = Annotated[int, Meta(ge=0, lt=2**53)]
