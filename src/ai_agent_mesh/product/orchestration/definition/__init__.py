"""Workflow definitions: CNCF Serverless Workflow 1.0 documents, read and judged."""

from ai_agent_mesh.product.orchestration.definition.model import Definition, Task
from ai_agent_mesh.product.orchestration.definition.workflow import (
    DefinitionInvalid,
    check_definition,
    load_definition,
)

__all__ = ["Definition", "DefinitionInvalid", "Task", "check_definition", "load_definition"]
