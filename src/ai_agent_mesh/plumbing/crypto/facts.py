"""What goes wrong with sealed values."""

from ai_agent_mesh.kernel.errors import Unavailable


class SealBroken(Unavailable):
    "A sealed value of {table}.{column} does not open: moved, altered, or of another key."
