"""The configuration: what is accepted, and that each mistake is a sentence with the key, the value and a remedy."""

from pathlib import Path

import pytest

from spansieve import config
from spansieve.config import ConfigError, GatewayConfig

CONTRACT = """
receivers:
  otlp:
    protocols:
      grpc: {endpoint: 127.0.0.1:4317}
      http: {endpoint: 127.0.0.1:4318}
redaction: {policy: default, names: kept}
sampling:
  decision_wait: 30s
  policies:
    - {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}
    - {name: slow, type: latency, latency: {threshold_ms: 5000}}
    - {name: baseline, type: probabilistic, probabilistic: {sampling_percentage: 10}}
storage: {directory: ./data, durability: fsync}
exporters:
  otlp: {endpoint: "collector:4317", tls: {insecure: true}}
telemetry: {metrics: {endpoint: 127.0.0.1:9464}}
"""


def problems_of(text: str) -> list[str]:
    """The sentences that a text is refused with."""
    with pytest.raises(ConfigError) as caught:
        config.parse(text, {})
    return caught.value.problems


def test_the_documented_example_is_valid() -> None:
    """Every key of the external contract is accepted."""
    settings = config.parse(CONTRACT, {})
    assert settings.exporters.otlp is not None
    assert settings.exporters.otlp.endpoint == "collector:4317"
    assert [policy.name for policy in settings.sampling.policies] == ["errors", "slow", "baseline"]


def test_nothing_at_all_is_a_configuration() -> None:
    """Without a file, and with an empty one, every key has its default."""
    assert config.load(None, {}) == config.parse("", {}) == GatewayConfig()


def test_defaults_serve_both_protocols() -> None:
    """gRPC and HTTP listen on OTLP's ports, on loopback."""
    protocols = GatewayConfig().receivers.otlp.protocols
    assert protocols.grpc is not None
    assert protocols.http is not None
    assert (protocols.grpc.endpoint, protocols.http.endpoint) == ("127.0.0.1:4317", "127.0.0.1:4318")


def test_a_protocol_that_is_not_named_is_off() -> None:
    """As in the Collector, naming only grpc (even with nothing after it) serves only grpc."""
    protocols = config.parse("receivers: {otlp: {protocols: {grpc: }}}", {}).receivers.otlp.protocols
    assert protocols.grpc is not None
    assert protocols.http is None


def test_an_exporter_without_endpoint_is_not_silently_the_embedded_store() -> None:
    """`otlp:` with nothing after it is a mistake, not a wish to keep traces at home."""
    assert problems_of("exporters: {otlp: }") == [
        "exporters.otlp.endpoint is missing. Example: endpoint: collector:4317"
    ]


def test_names_off_is_understood_though_yaml_reads_false() -> None:
    """YAML 1.1 turns a bare `off` into a truth value."""
    assert config.parse("redaction: {names: off}", {}).redaction.names == "off"


@pytest.mark.parametrize(("text", "seconds"), [("500ms", 0.5), ("30s", 30), ("1m30s", 90), ("1h", 3600), ("1.5s", 1.5)])
def test_durations_are_written_as_in_the_collector(text: str, seconds: float) -> None:
    """A number with a unit, several of them added up."""
    assert config.parse(f"sampling: {{decision_wait: {text}}}", {}).sampling.decision_wait == seconds


def test_environment_variables_are_put_in() -> None:
    """`${env:NAME}` is the variable, `${env:NAME:-default}` its default when it is not set."""
    text = "exporters: {otlp: {endpoint: '${env:WHERE}:${env:PORT:-4317}'}}"
    settings = config.parse(text, {"WHERE": "collector"})
    assert settings.exporters.otlp is not None
    assert settings.exporters.otlp.endpoint == "collector:4317"


def test_a_comment_asks_for_no_variable() -> None:
    """A setting that is commented out does not keep the gateway from starting."""
    text = "# exporters: {otlp: {endpoint: '${env:NOT_SET}'}}\n  # ${env:NOT_SET}\nstorage: {} # ${env:NOT_SET}\n"
    assert config.parse(text, {}) == GatewayConfig()


def test_a_missing_environment_variable_is_named() -> None:
    """It is said once, with the remedy."""
    assert problems_of("a: ${env:NOT_SET} ${env:NOT_SET}") == [
        "The environment variable NOT_SET is not set: set it, or give a default as in ${env:NOT_SET:-value}."
    ]


def test_a_missing_environment_variable_hides_no_other_mistake() -> None:
    """Of its own value nothing more is said, of the others all."""
    assert problems_of("sampling: {decision_wait: '${env:NOT_SET}'}\nworkers: many") == [
        "The environment variable NOT_SET is not set: set it, or give a default as in ${env:NOT_SET:-value}.",
        "workers: 'many' is neither a number from 1 to 64 nor `auto`. Example: workers: 4",
    ]


def header(text: str, environment: dict[str, str]) -> str:
    """What is sent as the header `a`."""
    settings = config.parse(f"exporters: {{otlp: {{endpoint: 'c:1', headers: {{a: {text}}}}}}}", environment)
    assert settings.exporters.otlp is not None
    return settings.exporters.otlp.headers["a"]


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ('"Bearer ${env:T}"', "Bearer {T}"),
        ("Bearer ${env:T}", "Bearer {T}"),
        ("${env:T}", "{T}"),
        ("${T}", "{T}"),
        ("${T:-x}", "{T}"),
        ("${env:NOT_SET:-$x}", "$x"),
        ("'$${env:T}'", "${env:T}"),
        ("a$$b$c", "a$b$c"),
    ],
)
@pytest.mark.parametrize("token", ["plain", 'q", compression: "gzip', "a # b", "a\\tb: c", "'", "${env:T}", "{"])
def test_whatever_a_variable_holds_it_is_one_value(written: str, sent: str, token: str) -> None:
    """As in the Collector: a quotation mark or a `#` in a token neither ends the value nor is lost; `$$` is a `$`."""
    assert header(written, {"T": token}) == sent.replace("{T}", token)


def test_without_quotes_a_variable_is_read_as_yaml_reads_it() -> None:
    """A number or a truth value is one; nothing is the default."""
    text = "exporters: {otlp: {endpoint: 'c:1', tls: {insecure: ${env:YES}}, num_consumers: ${env:N}}}\nstorage: ${E}"
    settings = config.parse(text, {"YES": "true", "N": "7", "E": ""})
    assert settings.exporters.otlp is not None
    assert (settings.exporters.otlp.tls.insecure, settings.exporters.otlp.num_consumers) == (True, 7)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("${file:/run/hunter2}", "${file:…}"),
        ("${env:A:-${env:B}}", "${env:…}"),
        ("${env:a-b}", "${env:…}"),
        ("x${", "${…}"),
        ("${}", "${…}"),
    ],
)
def test_what_looks_like_a_variable_and_is_none_is_a_mistake(written: str, shown: str) -> None:
    """It would else be taken as it stands: a token that nobody accepts, a directory of that name."""
    assert problems_of(f"storage:\n  directory: '{written}'") == [
        f"{shown} is not understood: a variable is written ${{env:NAME}} or ${{env:NAME:-default}}, and a plain $ "
        "before a brace $$."
    ]


def test_what_is_sound_beside_a_mistake_can_still_be_looked_at() -> None:
    """The sections that hold none, the others by their defaults; nothing where a variable is missing."""
    with pytest.raises(ConfigError) as caught:
        config.parse("redaction: {policy: gdpr}\nworkers: many", {})
    assert caught.value.sound == config.parse("redaction: {policy: gdpr}", {})
    with pytest.raises(ConfigError) as caught:
        config.parse("redaction: {policy: '${env:NOT_SET}'}\nworkers: many", {})
    assert caught.value.sound is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "receivers: {otlp: {protocols: {grpc: {endpoint: foo}}}}",
            "receivers.otlp.protocols.grpc.endpoint: 'foo' is not host:port with a port from 0 to 65535. "
            "Example: endpoint: 0.0.0.0:4317",
        ),
        (
            "sampling: {decision_wait: 30}",
            "sampling.decision_wait: 30 needs a unit of ms, s, m or h. Example: decision_wait: 30s",
        ),
        (
            "sampling: {policies: [{name: a, type: latency, latency: {threshold_ms: fast}}]}",
            "sampling.policies[0].latency.threshold_ms: 'fast' is not accepted: a whole number is needed, without a "
            "unit. Example: threshold_ms: 5000",
        ),
        (
            "memory_limiter: {limit_mib: yes}",
            "memory_limiter.limit_mib: a truth value is not accepted: a whole number is needed. Example: "
            "limit_mib: 512",
        ),
        (
            "sampling: {policies: [{name: a, type: latency}]}",
            "sampling.policies[0].latency is missing. Example: latency: {threshold_ms: 5000}",
        ),
        (
            "sampling: {policies: [{name: a, type: slow}]}",
            "sampling.policies[0].type: 'slow' is not accepted: "
            "one of always_sample, status_code, latency, probabilistic, string_attribute, "
            "numeric_attribute, boolean_attribute, trace_state, span_count, rate_limiting, bytes_limiting, llm_cost, "
            "llm_tokens, llm_ttft, llm_time_per_output_token, llm_retries, llm_error, llm_safety_block, evaluation, "
            "thumbs_down, tool_error, redacted, dynamic, conversation, and, not, drop, composite is needed. "
            "Example: type: always_sample",
        ),
        (
            "sampling: {policies: [{name: a, type: always_sample}, {name: a, type: always_sample}]}",
            "sampling names two policies 'a': names tell them apart in metrics, so each needs its own.",
        ),
        (
            "exporters: {otlp: {endpoint: 'http://x:1'}}",
            "exporters.otlp.endpoint: 'http://x:1' names a scheme: this exporter speaks gRPC to host:port, and "
            "tls.insecure says whether in the clear. Example: endpoint: collector:4317",
        ),
        (
            "exporters: {otlp: {endpoint: 'x:1', tls: {cert_file: a}}}",
            "exporters.otlp.tls has one of cert_file and key_file: a client certificate needs both.",
        ),
        ("workers: 100", "workers: 100 is neither a number from 1 to 64 nor `auto`. Example: workers: 4"),
        ("workers: many", "workers: 'many' is neither a number from 1 to 64 nor `auto`. Example: workers: 4"),
        ("sampling: {policies: []}", "sampling.policies is empty: at least one is needed."),
        (
            "telemetry: {metric: 1}",
            "telemetry.metric is not a key that the gateway knows. Did you mean metrics? Known here: metrics, logs.",
        ),
        (
            "sampling: 3",
            "sampling: 3 is not accepted: keys and values are needed here. "
            "Known here: decision_wait, decision_wait_after_root_received, late_error_wait, maximum_trace_size_mib, "
            "policies, budget, decision_cache.",
        ),
        (
            "telemetry: {logs: {level: WARN}}",
            "telemetry.logs.level: 'WARN' is not accepted: 'debug', 'info', 'warning' or 'error' is needed. "
            "Example: level: info",
        ),
        (
            "shutdown_timeout: 60s",
            "shutdown_timeout: 60s is not accepted: 29s is the most. Example: shutdown_timeout: 25s",
        ),
        (
            "sampling: {decision_wait: 99999h}",
            "sampling.decision_wait: 359996400s is not accepted: 3600s is the most. Example: decision_wait: 30s",
        ),
        (
            "storage: {directory: ~}",
            "storage.directory: null is not accepted: a path is needed. Example: directory: ./data",
        ),
        (
            "storage: {directory: ~/data}",
            "storage.directory: '~/data' begins with ~, which only a shell knows: write the directory in full, or "
            "${env:HOME}. Example: directory: ./data",
        ),
        ("storage: {directory: ''}", "storage.directory: '' names no directory. Example: directory: ./data"),
        (
            'storage: {directory: "a\\0b"}',
            "storage.directory: 'a\\x00b' holds a character that no path may. Example: directory: ./data",
        ),
        (
            "receivers: {otlp: {protocols: {http: {cors: {allowed_origins: ['*']}}}}}",
            "receivers.otlp.protocols.http.cors is not a key that the gateway knows. Leave it out: browsers are not "
            "answered here; the receiver of a stock Collector in front has cors, and sends on.",
        ),
        (
            "storage: {journal_max_mib: 1}",
            "storage.journal_max_mib: 1 is not accepted: 64 is the least. Example: journal_max_mib: 4096",
        ),
        (
            "measure: {labels: llm.task_type}",
            "measure.labels: 'llm.task_type' is not accepted: a list is needed. "
            "Example: labels: [{attribute: llm.task_type}]",
        ),
        (
            "receivers: {otlp: {protocols: {grpc: {endpoint: '0.0.0.0:9464'}}}}",
            "The file has receivers.otlp.protocols.grpc.endpoint and telemetry.metrics.endpoint at the same port, "
            "127.0.0.1:9464: give each its own.",
        ),
        (
            "exporters: {otlp: {endpoint: '$COLLECTOR:4317'}}",
            "exporters.otlp.endpoint: '$COLLECTOR:4317' holds a `$`: a variable is written ${env:NAME}. "
            "Example: endpoint: collector:4317",
        ),
        (
            "exporters: {otlp: {endpoint: 'me:hunter2@collector:4317'}}",
            "exporters.otlp.endpoint: the value holds a user or a password: a peer's credentials are headers, such "
            "as authorization. Example: endpoint: collector:4317",
        ),
        (
            "exporters: {otlp: {endpoint: 'x:1', tls: {insecure: true, ca_file: ca.pem}}}",
            "exporters.otlp.tls is insecure and names certificates, which would not be used: take one of the two out.",
        ),
        (
            "processors: {batch: {}}",
            "processors is not a key that the gateway knows. Leave it out: redaction, measure, sampling and "
            "memory_limiter are sections of their own; what the Collector has under tail_sampling "
            "stands under sampling.",
        ),
        (
            "exporters: {otlphttp: {endpoint: 'https://x'}}",
            "exporters.otlphttp is not a key that the gateway knows. Write otlp: there is one exporter, OTLP/gRPC to "
            "one Collector, which sends on to others.",
        ),
        (
            "sampling:\n\tdecision_wait: 3s",
            "The file is not valid YAML in line 2: found character '\\t' that cannot start any token: "
            "indent with spaces.",
        ),
        (
            "workers: 1\n---\nworkers: 2",
            "The file is not valid YAML in line 2: expected a single document in the stream, but found another "
            "document.",
        ),
        ("- a", "The file holds a list, not keys and values, for example: receivers: {otlp: …}."),
        ("a: 1\na: 2", "The file is not valid YAML in line 2: the key 'a' stands twice."),
        ("a: [", "The file is not valid YAML in line 1: expected the node content, but found '<stream end>'."),
        (
            "receivers: {otlp: {protocols: {}}}",
            "receivers.otlp.protocols names neither grpc nor http, so that nothing could be received: "
            "name one of them.",
        ),
    ],
)
def test_a_mistake_is_a_sentence(text: str, sentence: str) -> None:
    """The key, the value, what is wrong with it, and an example of what is right."""
    assert problems_of(text) == [sentence]


@pytest.mark.parametrize(
    ("sampling", "begins", "ends"),
    [
        ("{num_traces: 100}", "sampling.num_traces is not a key", "by memory_limiter.limit_mib."),
        (
            "{policies: [{name: a, type: probabilistic, probabilistic: {sampling_percentage: 1, hash_salt: x}}]}",
            "sampling.policies[0].probabilistic.hash_salt is not a key",
            "the same in every gateway.",
        ),
        (
            "{policies: [{name: a, type: drop, drop: {drop_sub_policy: [{name: b, type: ottl_condition}]}}]}",
            "sampling.policies[0].drop.drop_sub_policy[0].type: 'ottl_condition' is not accepted",
            "there is no language for conditions.",
        ),
        ("{policies: [{name: a, type: trace_flags}]}", "sampling.policies[0].type: 'trace_flags'", "have the flag."),
    ],
)
def test_what_the_collector_has_and_we_do_not_is_refused_with_a_way_out(sampling: str, begins: str, ends: str) -> None:
    """One sentence: which key or type, and what to do in its place."""
    (problem,) = problems_of(f"sampling: {sampling}")
    assert problem.startswith(begins)
    assert problem.endswith(ends)


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        (
            "type: latency, latency: {threshold_ms: 100, upper_threshold_ms: 100}",
            "latency keeps nothing: upper_threshold_ms has to be above threshold_ms, or 0.",
        ),
        (
            "type: span_count, span_count: {min_spans: 3, max_spans: 2}",
            "span_count keeps nothing: max_spans is below min_spans.",
        ),
        (
            "type: span_count, span_count: {}",
            "span_count has neither min_spans nor max_spans: give one of them.",
        ),
        (
            "type: not, not: {not_sub_policy: {name: b, type: probabilistic, probabilistic: {sampling_percentage: 1}}}",
            "not is around a share, which has no opposite: keep the other share by probabilistic itself.",
        ),
        (
            "type: numeric_attribute, numeric_attribute: {key: n}",
            "numeric_attribute has neither min_value nor max_value: give one of them.",
        ),
        (
            "type: numeric_attribute, numeric_attribute: {key: n, min_value: 2, max_value: 1}",
            "numeric_attribute matches nothing: max_value is below min_value.",
        ),
    ],
)
def test_a_policy_that_could_match_nothing_is_a_mistake(policy: str, sentence: str) -> None:
    """So that it is met by `check`, not by the traces that are missing."""
    assert problems_of(f"sampling: {{policies: [{{name: a, {policy}}}]}}") == [f"sampling.policies[0].{sentence}"]


@pytest.mark.parametrize(
    ("policies", "sentence"),
    [
        (
            "[{name: a, type: always_sample, shadow: true}, "
            "{name: b, type: drop, drop: {drop_sub_policy: [{name: c, type: always_sample}]}}]",
            "keeps nothing: each of its policies is in shadow or of type drop.",
        ),
        (
            "[{name: a, type: and, and: {and_sub_policy: ["
            "{name: b, type: not, not: {not_sub_policy: {name: c, type: always_sample, shadow: true}}}]}}]",
            "has shadow on 'c' within 'a', where it does nothing: put it on the outermost policy.",
        ),
    ],
)
def test_policies_that_do_nothing_together_are_a_mistake(policies: str, sentence: str) -> None:
    """As each alone would be."""
    assert problems_of(f"sampling: {{policies: {policies}}}") == [f"sampling {sentence}"]


def test_all_mistakes_are_told_at_once() -> None:
    """Four mistakes in four sections are four sentences."""
    found = problems_of(
        "nonsense: 1\nsampling: {decision_wait: soon}\nstorage: {durability: always}\nmemory_limiter: {limit_mib: 0}"
    )
    assert sorted(problem.split(":")[0].split(" ")[0] for problem in found) == [
        "memory_limiter.limit_mib",
        "nonsense",
        "sampling.decision_wait",
        "storage.durability",
    ]


def test_a_header_is_never_quoted() -> None:
    """A header may be a credential: the sentence about it does not show it."""
    found = problems_of("exporters: {otlp: {endpoint: 'a:1', headers: {authorization: [hunter2]}}}")
    assert len(found) == 1
    assert "exporters.otlp.headers.authorization" in found[0]
    assert "hunter2" not in found[0]


@pytest.mark.parametrize("header", [("bad name", "hunter2"), ("blob-bin", "hunter2"), ("authorization", "hünter2")])
def test_headers_that_grpc_refuses_are_a_sentence(header: tuple[str, str]) -> None:
    """With the name, and without the value, which is mostly a secret."""
    name, value = header
    (found,) = problems_of(f"exporters: {{otlp: {{endpoint: 'a:1', headers: {{{name}: '{value}'}}}}}}")
    assert found.startswith(f"exporters.otlp.headers: the value of '{name}' is not accepted: a name is of letters")
    assert value not in found


@pytest.mark.parametrize("endpoint", ["127.0.0.1:0", "192.0.2.7:9464"])
def test_addresses_that_do_not_collide_are_accepted(endpoint: str) -> None:
    """Port 0 is another each time, and a port belongs to its host."""
    text = f"receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '{endpoint}'}}}}}}}}"
    assert config.parse(text, {}).telemetry.metrics.endpoint == "127.0.0.1:9464"


def test_yaml_merges_are_read() -> None:
    """`<<` brings in keys, and what stands beside it goes before them."""
    text = (
        "sampling: {policies: [&slow {name: slow, type: latency, latency: {threshold_ms: 5}}, "
        "{<<: *slow, name: slower, latency: {threshold_ms: 9}}]}"
    )
    assert [policy.name for policy in config.parse(text, {}).sampling.policies] == ["slow", "slower"]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The path and the system's reason."""
    with pytest.raises(ConfigError, match=r"absent\.yaml cannot be read: No such file or directory"):
        config.load(tmp_path / "absent.yaml", {})
