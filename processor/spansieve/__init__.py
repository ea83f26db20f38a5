"""Spansieve: the gateway between LLM applications and a stock OpenTelemetry stack."""

__version__ = "0.1.0"
