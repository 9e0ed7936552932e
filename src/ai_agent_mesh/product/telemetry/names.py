"""The attribute names of the OpenTelemetry GenAI conventions that this mesh writes.

Source: OpenTelemetry semantic conventions, GenAI spans. They are written out here because the
published Python package marks its constants as moved; a test compares the two while both exist.
"""

from typing import Final

OPERATION_NAME: Final = "gen_ai.operation.name"
PROVIDER_NAME: Final = "gen_ai.provider.name"
AGENT_ID: Final = "gen_ai.agent.id"
AGENT_NAME: Final = "gen_ai.agent.name"
AGENT_VERSION: Final = "gen_ai.agent.version"
CONVERSATION_ID: Final = "gen_ai.conversation.id"
REQUEST_MODEL: Final = "gen_ai.request.model"
RESPONSE_MODEL: Final = "gen_ai.response.model"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
TOOL_NAME: Final = "gen_ai.tool.name"
WORKFLOW_NAME: Final = "gen_ai.workflow.name"
ERROR_TYPE: Final = "error.type"

INVOKE_AGENT: Final = "invoke_agent"
INVOKE_WORKFLOW: Final = "invoke_workflow"
EXECUTE_TOOL: Final = "execute_tool"
CHAT: Final = "chat"

#: Our own additions stand under our own prefix, as the conventions ask.
TENANT_ID: Final = "mesh.tenant.id"
RUN_ID: Final = "mesh.run.id"
KIND: Final = "mesh.span.kind"
COST: Final = "mesh.usage.cost"
POLICY_DECISION: Final = "mesh.policy.decision"
POLICY_DETERMINING: Final = "mesh.policy.determining"
POLICY_SET_VERSION: Final = "mesh.policy.set_version"
POLICY_ACTION: Final = "mesh.policy.action"
POLICY_PRINCIPAL: Final = "mesh.policy.principal"
POLICY_RESOURCE: Final = "mesh.policy.resource"
