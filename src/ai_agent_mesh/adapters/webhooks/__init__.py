"""Notices as signed HTTP requests, by the Standard Webhooks specification."""

from ai_agent_mesh.adapters.webhooks.sender import WebhookSender

__all__ = ["WebhookSender"]
