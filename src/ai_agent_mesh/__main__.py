"""`python -m ai_agent_mesh` is the `mesh` command."""

from ai_agent_mesh.cli import main

main()
