"""The section `exporters` of the configuration: the Collector behind the gateway, and how it is spoken to."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from spansieve.config_types import DialEndpoint, Duration, Section, null_is_default, setting

_HEADER = re.compile(r"[0-9a-z_.-]+")  # https://grpc.io/docs/guides/metadata/; `-bin` would hold bytes, not text
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")
_OTHER_EXPORTERS = ("otlp_grpc", "otlphttp", "otlp_http", "debug", "logging", "file", "kafka", "prometheus")
_ONE_EXPORTER = "Write otlp: there is one exporter, OTLP/gRPC to one Collector, which sends on to others."


class ClientTls(Section):
    """How the exporter trusts and is trusted."""

    insecure: bool = setting(False, "Speak in the clear.", True)  # noqa: FBT003 - a default
    ca_file: Path | None = setting(None, "PEM file of the authorities to trust, instead of the system's.", "ca.pem")
    cert_file: Path | None = setting(None, "PEM file of the client's certificate.", "client.pem")
    key_file: Path | None = setting(None, "PEM file of the client's key.", "client-key.pem")

    @model_validator(mode="after")
    def _whole_pair(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("has one of cert_file and key_file: a client certificate needs both")
        if self.insecure and (self.ca_file or self.cert_file):
            raise ValueError("is insecure and names certificates, which would not be used: take one of the two out")
        return self


class Retry(Section):
    """Back-off between attempts, with jitter. A batch is tried until it is accepted, refused for good, or we stop."""

    instead: ClassVar[Mapping[str, str]] = {
        "enabled": "Leave it out: what was answered OK is always tried again.",
        "max_elapsed_time": "Leave it out: what was answered OK is tried until it is accepted or refused for good.",
    }
    initial_interval: Duration = setting(0.5, "First wait.", "500ms", gt=0)
    multiplier: float = setting(1.5, "Each wait is so many times the last.", 1.5, ge=1)
    randomization_factor: float = setting(0.5, "A wait is drawn from so much around it.", 0.5, ge=0, le=1)
    max_interval: Duration = setting(30.0, "Longest wait.", "30s", gt=0)


class OtlpExporter(Section):
    """OTLP/gRPC to one endpoint, for traces, logs and metrics."""

    instead: ClassVar[Mapping[str, str]] = {
        "sending_queue": "Leave it out: what waits is in the journal, see storage and memory_limiter.",
        "auth": "Write headers, such as authorization: Bearer ${env:TOKEN}, or bearer_token_file.",
    }
    endpoint: DialEndpoint = Field(description="host:port of a Collector.", examples=["collector:4317"])
    tls: ClientTls = ClientTls()
    headers: dict[str, str] = setting({}, "Metadata sent with each call.", {"x-tenant": "blue"})
    bearer_token_file: Path | None = setting(
        None, "File of a token, sent as authorization: Bearer …, and read again when it changes.", "/run/secrets/token"
    )
    compression: Literal["none", "gzip"] = setting("none", "Of what is sent.", "gzip")
    timeout: Duration = setting(5.0, "Deadline of one attempt.", "5s", gt=0)
    retry_on_failure: Retry = Retry()
    max_batch_bytes: int = setting(
        3 * 1024 * 1024,
        "Largest message sent; a stock Collector takes 4 MiB.",
        3145728,
        ge=1024,
        le=64 * 1024 * 1024,
    )
    num_consumers: int = setting(4, "Calls in flight at once, for each signal.", 4, ge=1, le=64)

    @field_validator("headers")
    @classmethod
    def _headers_are_metadata(cls, headers: dict[str, str]) -> dict[str, str]:
        """Refuse what gRPC would refuse at each call; values are not shown: they are secrets."""
        for key, value in headers.items():
            name = key.lower()
            if not _HEADER.fullmatch(name) or name.endswith("-bin") or not _HEADER_VALUE.fullmatch(value):
                raise ValueError(
                    f"of {key!r} is not accepted: a name is of letters, digits, -, _ and . and does not end in -bin, "
                    "a value of printable ASCII"
                )
        return headers

    @model_validator(mode="after")
    def _one_token(self) -> Self:
        if self.bearer_token_file and any(name.lower() == "authorization" for name in self.headers):
            raise ValueError("has both headers.authorization and bearer_token_file: take one of the two out")
        return self


class Exporters(Section):
    """Where telemetry goes. With none, kept traces go to the embedded store under storage.directory."""

    instead: ClassVar[Mapping[str, str]] = dict.fromkeys(_OTHER_EXPORTERS, _ONE_EXPORTER)
    otlp: OtlpExporter | None = Field(default=None, description="Send everything to one Collector.")

    @model_validator(mode="before")
    @classmethod
    def _named_is_on(cls, value: object) -> object:
        return null_is_default(value)
