"""What the operator writes, checked: unknown keys refused, all mistakes at once, each a sentence with a remedy.

The keys are those of the OpenTelemetry Collector where the meaning is the same; `docs/reference/configuration.md` is
made from these classes by `make docs`. `${env:NAME}` and `${env:NAME:-default}` are replaced before parsing, as the
Collector does.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from spansieve.config_problems import kind, sentences

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|h|m|s))+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_ENDPOINT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:/\s\[\]]*):(?P<port>\d{1,5})")
_ENV = re.compile(r"\$\{env:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")


class ConfigError(Exception):
    """A configuration that cannot be used. `problems` holds one sentence for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _parse_duration(value: object) -> object:
    if isinstance(value, str):
        if not _DURATION.fullmatch(value):
            raise ValueError("is not a duration: a number with a unit of ms, s, m or h")
        return sum(float(n) * _SECONDS[unit] for n, unit in _DURATION_PART.findall(value))
    if isinstance(value, (int, float)) and value != 0:
        raise ValueError("needs a unit of ms, s, m or h")
    return value


def _check_endpoint(value: str) -> str:
    matched = _ENDPOINT.fullmatch(value)
    if not matched or int(matched["port"]) > 65535:
        raise ValueError("is not host:port with a port from 0 to 65535")
    return value


def _check_target(value: str) -> str:
    bare = value.removeprefix("http://").removeprefix("https://")
    if bare != value:
        raise ValueError(
            "names a scheme: this exporter speaks gRPC to host:port, and tls.insecure says whether in the clear"
        )
    return _check_endpoint(value)


DURATION_RULE = BeforeValidator(_parse_duration)
Duration = Annotated[float, DURATION_RULE]
"""Seconds, written as the Collector writes them: 500ms, 30s, 1m30s."""

ListenEndpoint = Annotated[str, AfterValidator(_check_endpoint)]
DialEndpoint = Annotated[str, AfterValidator(_check_target)]


def _null_is_default(value: object) -> object:
    """`grpc:` with nothing after it names the section and leaves its keys at their defaults."""
    return {k: {} if v is None else v for k, v in value.items()} if isinstance(value, dict) else value


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _key(default: Any, text: str, example: Any, **limits: Any) -> Any:  # noqa: ANN401 - a field of any type
    return Field(default, description=text, examples=[example], **limits)


class GrpcReceiver(_Section):
    """OTLP/gRPC."""

    endpoint: ListenEndpoint = _key("127.0.0.1:4317", "Where to listen; port 0 takes a free one.", "0.0.0.0:4317")
    max_recv_msg_size_mib: int = _key(
        64, "Largest message, after inflation; more is answered RESOURCE_EXHAUSTED.", 64, ge=1, le=1024
    )


class HttpReceiver(_Section):
    """OTLP/HTTP, protobuf and JSON."""

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
        "Names and places in free text: on kept traces, on all, or off. This version has no model for them yet: "
        "`kept` and `all` are accepted and change nothing, and the gateway says so when it starts.",
        "kept",
    )


class StatusCodeSettings(_Section):
    """Keep a trace that holds a span of one of these statuses."""

    status_codes: tuple[Literal["ERROR", "OK", "UNSET"], ...] = Field(
        description="Statuses of spans.", examples=[["ERROR"]], min_length=1
    )


class LatencySettings(_Section):
    """Keep a trace that lasts so long, from its earliest start to its latest end."""

    threshold_ms: int = Field(description="At least so many milliseconds.", examples=[5000], ge=0)
    upper_threshold_ms: int = _key(0, "At most so many milliseconds; 0 is no upper bound.", 0, ge=0)


class ProbabilisticSettings(_Section):
    """Keep a share of all traces, chosen by the randomness of the trace id."""

    sampling_percentage: float = Field(description="Percent, 0 to 100.", examples=[10], ge=0, le=100)


class _Policy(_Section):
    name: str = Field(
        description="Stands in metrics, logs and on kept spans.",
        examples=["errors"],
        min_length=1,
        max_length=64,
    )


class AlwaysSample(_Policy):
    """Keep every trace."""

    type: Literal["always_sample"]


class StatusCode(_Policy):
    """Keep failed traces (or those of another status)."""

    type: Literal["status_code"]
    status_code: StatusCodeSettings


class Latency(_Policy):
    """Keep slow traces."""

    type: Literal["latency"]
    latency: LatencySettings


class Probabilistic(_Policy):
    """Keep a share of the rest."""

    type: Literal["probabilistic"]
    probabilistic: ProbabilisticSettings


SamplingPolicy = Annotated[AlwaysSample | StatusCode | Latency | Probabilistic, Field(discriminator="type")]


class DecisionCache(_Section):
    """How many verdicts are remembered, so that late spans follow them."""

    sampled_cache_size: int = _key(100_000, "Kept traces remembered; about 170 bytes each.", 100_000, ge=0)
    non_sampled_cache_size: int = _key(200_000, "Sampled-out traces remembered; about 170 bytes each.", 200_000, ge=0)


_DEFAULT_POLICIES: tuple[SamplingPolicy, ...] = (
    StatusCode(name="errors", type="status_code", status_code=StatusCodeSettings(status_codes=("ERROR",))),
    Latency(name="slow", type="latency", latency=LatencySettings(threshold_ms=5000)),
    Probabilistic(name="baseline", type="probabilistic", probabilistic=ProbabilisticSettings(sampling_percentage=10)),
)


class Sampling(_Section):
    """Which traces are kept. A trace is kept when any policy says so."""

    decision_wait: Duration = _key(
        30.0,
        "From a trace's first span to its decision. Make it longer than a trace takes and its senders batch (5s by "
        "default): a failure that arrives after the decision does not change it.",
        "30s",
        gt=0,
        le=3600,
    )
    policies: tuple[SamplingPolicy, ...] = Field(
        default=_DEFAULT_POLICIES, description="In the order in which a kept trace is credited to them.", min_length=1
    )
    decision_cache: DecisionCache = DecisionCache()

    @model_validator(mode="after")
    def _distinct_names(self) -> Self:
        names = [policy.name for policy in self.policies]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"names two policies {twice[0]!r}: names tell them apart in metrics, so each needs its own"
            )
        return self


class Measure(_Section):
    """What is derived from LLM calls."""

    application_genai_metrics: Literal["drop", "keep"] = _key(
        "drop",
        "Metrics that applications send under a name which this gateway derives itself: left out, so that each call "
        "counts once, or passed on.",
        "drop",
    )
    label_limit: int = _key(200, "Distinct values of one metric label; further ones become `other`.", 200, ge=1)
    prices: Path | None = _key(None, "A YAML file of prices that go before the shipped table.", "prices.yaml")


class Storage(_Section):
    """The gateway's own files."""

    directory: Path = _key(Path("data"), "Made when absent, with mode 0700.", "./data")
    durability: Literal["fsync", "os", "memory"] = _key(
        "memory",
        "What OK promises. This version has no journal yet: OK means that the spans are redacted and in memory, "
        "`fsync` and `os` are accepted and mean the same, and the gateway says so when it starts.",
        "memory",
    )
    max_mib: int = _key(512, "The embedded store's bound; the oldest traces make room.", 512, ge=1)


class ClientTls(_Section):
    """How the exporter trusts and is trusted."""

    insecure: bool = _key(False, "Speak in the clear.", True)  # noqa: FBT003 - a default
    ca_file: Path | None = _key(None, "PEM file of the authorities to trust, instead of the system's.", "ca.pem")
    cert_file: Path | None = _key(None, "PEM file of the client's certificate.", "client.pem")
    key_file: Path | None = _key(None, "PEM file of the client's key.", "client-key.pem")

    @model_validator(mode="after")
    def _whole_pair(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("has one of cert_file and key_file: a client certificate needs both")
        return self


class Retry(_Section):
    """Back-off between attempts, with jitter. A batch is tried until it is accepted, refused for good, or we stop."""

    initial_interval: Duration = _key(0.5, "First wait.", "500ms", gt=0)
    multiplier: float = _key(1.5, "Each wait is so many times the last.", 1.5, ge=1)
    randomization_factor: float = _key(0.5, "A wait is drawn from so much around it.", 0.5, ge=0, le=1)
    max_interval: Duration = _key(30.0, "Longest wait.", "30s", gt=0)


class OtlpExporter(_Section):
    """OTLP/gRPC to one endpoint, for traces, logs and metrics."""

    endpoint: DialEndpoint = Field(description="host:port of a Collector.", examples=["collector:4317"])
    tls: ClientTls = ClientTls()
    headers: dict[str, str] = _key({}, "Metadata sent with each call.", {"x-tenant": "blue"})
    compression: Literal["none", "gzip"] = _key("none", "Of what is sent.", "gzip")
    timeout: Duration = _key(5.0, "Deadline of one attempt.", "5s", gt=0)
    retry_on_failure: Retry = Retry()
    max_batch_bytes: int = _key(
        3 * 1024 * 1024,
        "Largest message sent; a stock Collector takes 4 MiB.",
        3145728,
        ge=1024,
        le=64 * 1024 * 1024,
    )
    num_consumers: int = _key(4, "Calls in flight at once, for each signal.", 4, ge=1, le=64)


class Exporters(_Section):
    """Where telemetry goes. With none, kept traces go to the embedded store under storage.directory."""

    otlp: OtlpExporter | None = Field(default=None, description="Send everything to one Collector.")

    @model_validator(mode="before")
    @classmethod
    def _named_is_on(cls, value: object) -> object:
        return _null_is_default(value)


class MemoryLimiter(_Section):
    """Back-pressure."""

    limit_mib: int = _key(
        512,
        "Bytes of telemetry held: traces that wait for a decision, and what waits for export. Beyond it, senders are "
        "refused with RetryInfo.",
        512,
        ge=1,
    )


class MetricsTelemetry(_Section):
    """The gateway's own metrics and those it derives."""

    endpoint: ListenEndpoint = _key("127.0.0.1:9464", "Serves /metrics, /healthz and /readyz.", "0.0.0.0:9464")
    push_interval: Duration = _key(15.0, "How often metrics are sent through exporters.otlp.", "15s", gt=0)


class LogsTelemetry(_Section):
    """The gateway's own log: JSON lines on standard error, never a payload."""

    level: Literal["debug", "info", "warning", "error"] = _key("info", "Least severity written.", "info")


class Telemetry(_Section):
    """What the gateway says of itself."""

    metrics: MetricsTelemetry = MetricsTelemetry()
    logs: LogsTelemetry = LogsTelemetry()


class GatewayConfig(_Section):
    """The whole configuration. Every key has a default: with no file at all the gateway runs."""

    receivers: Receivers = Receivers()
    redaction: Redaction = Redaction()
    measure: Measure = Measure()
    sampling: Sampling = Sampling()
    storage: Storage = Storage()
    exporters: Exporters = Exporters()
    memory_limiter: MemoryLimiter = MemoryLimiter()
    telemetry: Telemetry = Telemetry()
    shutdown_timeout: Duration = _key(
        25.0, "Grace for what is decided to be exported after SIGTERM.", "25s", gt=0, le=29
    )


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error, not a silent choice of the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, str | int | float | bool) and key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            if isinstance(key, str | int | float | bool):
                seen.add(key)
        return super().construct_mapping(node, deep)


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
    problems: list[str] = []

    def substitute(found: re.Match[str]) -> str:
        default: str | None = found["default"]
        value = environment.get(found["name"]) if found["name"] in environment else default
        if value is None:
            problems.append(
                f"The environment variable {found['name']} is not set: set it, or give a default as in "
                f"${{env:{found['name']}:-value}}."
            )
            return ""
        return value

    text = _ENV.sub(substitute, text)
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    try:
        tree = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        where = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError([f"The file is not valid YAML{where}: {error.problem}."]) from None
    except yaml.YAMLError:
        raise ConfigError(["The file is not valid YAML: it holds characters that YAML does not allow."]) from None
    if tree is None:
        return GatewayConfig()
    if not isinstance(tree, dict):
        raise ConfigError([f"The file holds {kind(tree)}, not keys and values, for example: receivers: {{otlp: …}}."])
    _drop_empty_sections(tree, GatewayConfig)
    try:
        return GatewayConfig.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(sentences(error, GatewayConfig)) from None


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
