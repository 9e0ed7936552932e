"""Hands the spans that telemetry records to an OpenTelemetry receiver over OTLP/HTTP."""

from ai_agent_mesh.adapters.otlp.exporter import OtlpExporter

__all__ = ["OtlpExporter"]
