"""What can go wrong with workflows, runs and approvals."""

from ai_agent_mesh.kernel.errors import Conflict, Invalid, NotFound


class WorkflowMissing(NotFound):
    """There is no workflow {workflow}."""


class WorkflowVersionTaken(Conflict):
    """Version {version} of workflow {workflow} says something else already: raise the version."""


class WorkflowDisabled(Conflict):
    """The workflow {workflow} was removed; a new version brings it back."""


class RunMissing(NotFound):
    """There is no run {run}."""


class RunInputInvalid(Invalid):
    """The run's input cannot be used."""


class RunEnded(Conflict):
    """The run {run} is {state} already."""


class RunNotResumable(Conflict):
    """The run {run} is {state}: only a faulted or cancelled run can be resumed."""


class ApprovalMissing(NotFound):
    """There is no approval {approval}."""


class ApprovalDecided(Conflict):
    """The approval {approval} is {state} already."""
