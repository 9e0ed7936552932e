"""The HTTP door: one wrapper around everything that answers, and the one table of routes."""
