"""What the operator writes, checked: unknown keys refused, all mistakes at once, each a sentence with a remedy.

The keys are those of the OpenTelemetry Collector where the meaning is the same; `docs/reference/configuration.md` is
made from these classes by `make docs`. `${env:NAME}` and `${env:NAME:-default}` are replaced in the values, as the
Collector does, which also reads `${NAME}`, and `$$` as a plain `$`.
"""

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from spansieve import strict_yaml
from spansieve.config_exporters import Exporters
from spansieve.config_measure import Measure
from spansieve.config_problems import sentences
from spansieve.config_sampling import Sampling
from spansieve.config_types import Directory, Duration, ListenEndpoint
from spansieve.config_types import Section as _Section
from spansieve.config_types import null_is_default as _null_is_default
from spansieve.config_types import setting as _key
from spansieve.config_variables import Variables
from spansieve.mistakes import kind
from spansieve.strict_yaml import NotYaml

_ANY_HOST = frozenset({"", "0.0.0.0", "[::]"})  # noqa: S104 - compared with, not bound
_NO_TLS_HERE = (
    "Leave it out: what is received is not encrypted; put the stock Collector in front, see docs/guides/operations.md."
)
_NO_CORS_HERE = (
    "Leave it out: browsers are not answered here; the receiver of a stock Collector in front has cors, and sends on."
)
_NO_METADATA = "Leave it out: headers are not read, nor sent on; exporters.otlp.headers are what is sent."
_TUNED = "Leave it out: connections are bounded, and messages by max_recv_msg_size_mib."
_PIPELINES = "Leave it out: there is one pipeline, and its stages are sections of their own."


def _one_of_both(value: object, accept: ValidatorFunctionWrapHandler) -> object:
    """One sentence, where pydantic has one for each kind of value that there may be."""
    try:
        return accept(value)
    except ValidationError:
        raise ValueError("is neither a number from 1 to 64 nor `auto`") from None


class ConfigError(Exception):
    """A configuration that cannot be used.

    `problems` holds one sentence for each mistake. `sound`, where it can be told, is the configuration without the
    sections that hold one: what it names can still be looked at.
    """

    def __init__(self, problems: list[str], sound: "GatewayConfig | None" = None) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.sound = sound


class GrpcReceiver(_Section):
    """OTLP/gRPC."""

    instead: ClassVar[Mapping[str, str]] = {
        "tls": _NO_TLS_HERE,
        "auth": _NO_TLS_HERE,
        "include_metadata": _NO_METADATA,
        "transport": "Leave it out: it is tcp. There are no Unix sockets: listen on 127.0.0.1.",
        **dict.fromkeys(("keepalive", "max_concurrent_streams", "read_buffer_size", "write_buffer_size"), _TUNED),
    }
    endpoint: ListenEndpoint = _key("127.0.0.1:4317", "Where to listen; port 0 takes a free one.", "0.0.0.0:4317")
    max_recv_msg_size_mib: int = _key(
        64, "Largest message, after inflation; more is answered RESOURCE_EXHAUSTED.", 64, ge=1, le=1024
    )


class HttpReceiver(_Section):
    """OTLP/HTTP, protobuf and JSON."""

    instead: ClassVar[Mapping[str, str]] = {
        "tls": _NO_TLS_HERE,
        "auth": _NO_TLS_HERE,
        "cors": _NO_CORS_HERE,
        "include_metadata": _NO_METADATA,
        **{
            f"{signal}_url_path": "Leave it out: the paths are those of OTLP."
            for signal in ("traces", "logs", "metrics")
        },
    }
    endpoint: ListenEndpoint = _key("127.0.0.1:4318", "Where to listen; port 0 takes a free one.", "0.0.0.0:4318")
    max_request_body_size: int = _key(
        64 * 1024 * 1024,
        "Largest body in bytes, after inflation; more is answered 413.",
        67108864,
        ge=1024,
        le=1024**3,
    )


class Protocols(_Section):
    """The protocols to serve: those that are named, as in the Collector; both when this section is left out."""

    grpc: GrpcReceiver | None = Field(
        default=None, description="Serve OTLP/gRPC. Both are served when `protocols` is left out."
    )
    http: HttpReceiver | None = Field(
        default=None, description="Serve OTLP/HTTP. Both are served when `protocols` is left out."
    )

    @model_validator(mode="before")
    @classmethod
    def _named_is_on(cls, value: object) -> object:
        return _null_is_default(value)

    @model_validator(mode="after")
    def _some_protocol(self) -> Self:
        if self.grpc is None and self.http is None:
            raise ValueError("names neither grpc nor http, so that nothing could be received: name one of them")
        return self


class OtlpReceiver(_Section):
    """OTLP."""

    protocols: Protocols = Protocols(grpc=GrpcReceiver(), http=HttpReceiver())


class Receivers(_Section):
    """Where telemetry comes in."""

    otlp: OtlpReceiver = OtlpReceiver()


class Redaction(_Section):
    """What is taken out."""

    policy: str = _key("default", "A shipped policy's name, or the path of a policy file.", "default", min_length=1)
    key_file: Path | None = _key(
        None, "A file with the key of pseudonyms, in place of the one that the policy names.", "/run/secrets/pseudonyms"
    )
    # YAML 1.1 reads a bare `off` as false.
    names: Annotated[Literal["kept", "all", "off"], BeforeValidator(lambda v: "off" if v is False else v)] = _key(
        "kept",
        "Names of persons and places in free text, as the policy asks: `kept` takes them out of what leaves, behind "
        "the sampler; `all` out of everything, before the journal and the metrics; `off` leaves them in.",
        "kept",
    )
    names_behind: Literal["refuse", "metadata"] = _key(
        "refuse",
        "When more waits to be read than half of memory_limiter.limit_mib: `refuse` lets it wait, so that senders are "
        "refused once the limit is reached; `metadata` removes texts unread. Nothing leaves unread.",
        "refuse",
    )


class Storage(_Section):
    """The gateway's own files."""

    directory: Directory = _key(Path("data"), "Made when absent, with mode 0700.", "./data")
    durability: Literal["fsync", "os", "memory"] = _key(
        "fsync",
        "What OK promises: the redacted spans are in the journal and synced to the disk (`fsync`), so that they "
        "survive the machine; handed to the operating system (`os`), so that they survive the process; or in memory.",
        "fsync",
    )
    journal_max_mib: int = _key(
        4096, "The journal's bound, under storage.directory; beyond it senders are refused with RetryInfo.", 4096, ge=64
    )
    key_file: Path | None = _key(
        None,
        "The keys that the journal is sealed with: 32 bytes each in base64, the first for what is new, the others for "
        "what is old. Made when absent. By default `journal.key` under storage.directory; the environment variable "
        "SPANSIEVE_JOURNAL_KEY goes before any file.",
        "/run/secrets/journal.key",
    )
    verdicts_max_mib: int = _key(
        64, "The bound of the log that `spansieve why` reads, some 400,000 traces; 0 for none.", 64, ge=0
    )
    max_mib: int = _key(512, "The embedded store's bound; the oldest traces make room.", 512, ge=1)


class MemoryLimiter(_Section):
    """Back-pressure."""

    instead: ClassVar[Mapping[str, str]] = {
        "check_interval": "Leave it out: what is held is counted at each request.",
        "spike_limit_mib": "Leave it out: what is held is counted at each request.",
        "limit_percentage": "Write limit_mib, about half of what the container may use.",
    }
    limit_mib: int = _key(
        512,
        "Telemetry held: requests that are read or wait for redaction, traces that wait for a decision, what waits for "
        "export. Beyond it, senders are refused with RetryInfo; a request that alone is larger is refused for good.",
        512,
        ge=1,
    )


class MetricsTelemetry(_Section):
    """The gateway's own metrics and those it derives."""

    endpoint: ListenEndpoint = _key("127.0.0.1:9464", "Serves /metrics, /healthz and /readyz.", "0.0.0.0:9464")
    push_interval: Duration = _key(
        15.0,
        "How often metrics are sent through exporters.otlp; 0s: not at all, where Prometheus scrapes them and would "
        "have each series twice.",
        "15s",
        ge=0,
    )


class LogsTelemetry(_Section):
    """The gateway's own log: JSON lines on standard error, never a payload."""

    level: Literal["debug", "info", "warning", "error"] = _key("info", "Least severity written.", "info")


class Telemetry(_Section):
    """What the gateway says of itself."""

    metrics: MetricsTelemetry = MetricsTelemetry()
    logs: LogsTelemetry = LogsTelemetry()


class GatewayConfig(_Section):
    """The whole configuration. Every key has a default: with no file at all the gateway runs."""

    instead: ClassVar[Mapping[str, str]] = {
        "processors": "Leave it out: redaction, measure, sampling and memory_limiter are sections of their own; what "
        "the Collector has under tail_sampling stands under sampling.",
        "connectors": _PIPELINES,
        "service": "Leave it out: there is one pipeline; the gateway's own log and metrics are under telemetry.",
        "extensions": "Leave it out: health is at telemetry.metrics.endpoint, what waits is under storage.",
    }
    receivers: Receivers = Receivers()
    redaction: Redaction = Redaction()
    measure: Measure = Measure()
    sampling: Sampling = Sampling()
    storage: Storage = Storage()
    exporters: Exporters = Exporters()
    memory_limiter: MemoryLimiter = MemoryLimiter()
    telemetry: Telemetry = Telemetry()
    workers: Annotated[Annotated[int, Field(ge=1, le=64)] | Literal["auto"], WrapValidator(_one_of_both)] = Field(
        default=1,
        description="Processes that receive and redact. With 1 the gateway is one process; with more it is one that "
        "measures, samples and exports, and so many workers, which take turns at the same ports. `auto`: one for each "
        "core that the process may use, 4 at most.",
        examples=[4],
    )
    drain_on_shutdown: bool = Field(
        default=False,
        description="With a journal, SIGTERM leaves what waits for its next start. Where there may be none, as when "
        "gateways become fewer, decide every waiting trace and export it first, as far as shutdown_timeout allows.",
        examples=[True],
    )
    shutdown_timeout: Duration = _key(
        25.0, "Grace for what is decided to be exported after SIGTERM.", "25s", gt=0, le=29
    )

    @model_validator(mode="after")
    def _ports_apart(self) -> Self:
        grpc, http = self.receivers.otlp.protocols.grpc, self.receivers.otlp.protocols.http
        listening = {
            "receivers.otlp.protocols.grpc.endpoint": grpc.endpoint if grpc else "",
            "receivers.otlp.protocols.http.endpoint": http.endpoint if http else "",
            "telemetry.metrics.endpoint": self.telemetry.metrics.endpoint,
        }
        for (one, here), (other, there) in combinations(listening.items(), 2):
            if here and there and _collide(here, there):
                raise ValueError(f"has {one} and {other} at the same port, {there}: give each its own")
        return self


def _collide(here: str, there: str) -> bool:
    """Whether two cannot listen at these addresses at once."""
    (host, _, port), (other, _, other_port) = here.rpartition(":"), there.rpartition(":")
    return int(port) == int(other_port) != 0 and (host == other or bool(_ANY_HOST & {host, other}))


def load(path: Path | None, environment: Mapping[str, str]) -> GatewayConfig:
    """Read and check a configuration file; None is the configuration of all defaults.

    Raises ConfigError with every problem found.
    """
    if path is None:
        return GatewayConfig()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError([f"{path} cannot be read: {why}."]) from None
    return parse(text, environment)


def parse(text: str, environment: Mapping[str, str]) -> GatewayConfig:
    """Check the text of a configuration file. Raises ConfigError with every problem found."""
    variables = Variables(text, environment)
    try:
        tree = strict_yaml.load(variables.marked, variables.expand)
    except NotYaml as error:
        raise ConfigError([*variables.problems, f"The file is {error}."]) from None
    if tree is None:
        return GatewayConfig()
    if not isinstance(tree, dict):
        raise ConfigError(
            [
                *variables.problems,
                f"The file holds {kind(tree)}, not keys and values, for example: receivers: {{otlp: …}}.",
            ]
        )
    _drop_empty_sections(tree, GatewayConfig)
    try:
        settings = GatewayConfig.model_validate(tree)
    except ValidationError as error:
        problems = [*variables.problems, *sentences(error, GatewayConfig, variables.unread)]
        raise ConfigError(problems, None if variables.problems else _sound(tree, error)) from None
    if variables.problems:
        raise ConfigError(variables.problems)
    return settings


def _sound(tree: dict[Any, Any], error: ValidationError) -> GatewayConfig | None:
    """What is left without the sections in which a mistake was found; None when it lies between sections."""
    wrong = {details["loc"][0] for details in error.errors() if details["loc"]}
    try:
        return GatewayConfig.model_validate({key: value for key, value in tree.items() if key not in wrong})
    except ValidationError:
        return None


def _drop_empty_sections(tree: dict[Any, Any], section: type[BaseModel]) -> None:
    """Let `sampling:` with nothing after it mean all defaults. Sections that may be off decide for themselves."""
    for key, value in list(tree.items()):
        known = section.model_fields.get(key) if isinstance(key, str) else None
        if known is None or not isinstance(known.annotation, type) or not issubclass(known.annotation, BaseModel):
            continue
        if value is None:
            del tree[key]
        elif isinstance(value, dict):
            _drop_empty_sections(value, known.annotation)
