"""What the tests of redaction share: the default rules, batches, and numbers with right check digits."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spansieve import redact
from spansieve.model import DecodedBatch, ExportRequest, RedactedBatch, Signal
from spansieve.redact import CompiledRules, policy

CAPTURES = Path(__file__).parents[2] / "captures"
REQUESTS: dict[Signal, type[ExportRequest]] = {
    Signal.TRACES: ExportTraceServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
}
IDS = {"trace_id", "span_id", "parent_span_id"}


@cache
def default_rules() -> CompiledRules:
    """The shipped default policy, compiled once."""
    return policy.compile(default_policy())


@cache
def default_policy() -> policy.Policy:
    """The shipped default policy."""
    return policy.parse(policy.shipped("default"))


def clean(text: str, key: str = "") -> str:
    """What becomes of a text under the default policy."""
    return redact.text(text, default_rules(), key)[0]


def found(text: str, key: str = "") -> dict[str, int]:
    """What the default policy finds in a text."""
    return dict(redact.text(text, default_rules(), key)[1])


def run(message: ExportRequest, rules: CompiledRules | None = None) -> RedactedBatch:
    """Redact a request in place, without a stamp on its spans."""
    signal = next(signal for signal, kind in REQUESTS.items() if type(message) is kind)
    return redact.batch(DecodedBatch(signal, message, 1), rules or default_rules(), stamped=False)


def captures() -> list[Path]:
    """All captured requests of real SDKs."""
    return sorted(CAPTURES.glob("*.pb"))


def read_capture(path: Path) -> ExportRequest:
    """Parse a captured request."""
    return REQUESTS[Signal(path.name.split(".")[-2])].FromString(path.read_bytes())


def luhn_complete(digits: str) -> str:
    """Digits with the check digit that makes them pass (ISO/IEC 7812-1)."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 - index % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return digits + str(-total % 10)


def iban_complete(country: str, account: str) -> str:
    """An IBAN with the check digits that make it pass (ISO 13616)."""
    number = int("".join(str(int(character, 36)) for character in account + country + "00"))
    return f"{country}{98 - number % 97:02d}{account}"


def leaves(message: Message) -> Iterator[tuple[Message, FieldDescriptor, Any]]:
    """Every field that is set, at any depth, with the message that holds it."""
    for field, value in message.ListFields():
        yield message, field, value
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for each in value if not isinstance(value, Message) else [value]:
                yield from leaves(each)


def untouchable(message: Message) -> list[tuple[str, Any]]:
    """Ids, times, numbers, truth values, enums and flags, in order of place: what no rule may change."""
    kept = []
    for _, field, value in leaves(message):
        if field.type in (FieldDescriptor.TYPE_MESSAGE, FieldDescriptor.TYPE_STRING):
            continue
        if field.type != FieldDescriptor.TYPE_BYTES or field.name in IDS:
            kept.append((field.full_name, list(value) if hasattr(value, "extend") else value))
    return kept


def text_fields(descriptor: Descriptor) -> Iterator[tuple[FieldDescriptor, ...]]:
    """The paths of all fields of a message type that can hold text; a path ends at an AnyValue."""
    for field in descriptor.fields:
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            if field.message_type.name == "AnyValue":
                yield (field,)
            else:
                for path in text_fields(field.message_type):
                    yield (field, *path)
        elif field.type == FieldDescriptor.TYPE_STRING or (
            field.type == FieldDescriptor.TYPE_BYTES and field.name not in IDS
        ):
            yield (field,)


_VALUES = [
    "alice@example.com",
    "bob@corp.internal",
    "078-05-1120",
    "219 09 9999",
    "+1 415 555 2671",
    "(212) 736-5000",
    "020 7946 0958",
    luhn_complete("411111111111111"),
    "4111 1111 1111 1111",
    iban_complete("DE", "370400440532013000"),
    "203.0.113.9",
    "2001:db8::8a2e:370:7334",
    "3c:22:fb:9a:10:5e",
    "3c22.fb9a.105e",
    "3C-22-FB-9A-10-5E",
    "sk-" + "a1" * 12,
    "ghp_" + "a" * 36,
    "AKIA" + "A" * 16,
    "Bearer a1b2c3d4e5f6",
    "password=hunter2",
    "postgres://u:p@h/x",
    "eyJhbGciOiJI.eyJzdWIiOiI.c2ln",
    "Cookie: sid=31d4d96e",
    "carol%40example.com",
    "https://h.example/?sig=0123456789",
    "my password is hunter2",
    "ssn 219099999",
    "mobile: 4155552671",
    "jörg@straße.example",
]
_GLUE = [
    "",
    " ",
    "_",
    "-",
    ".",
    ",",
    "/",
    ":",
    "x",
    "7",
    "\n",
    "\0",
    "'",
    "(",
    "é",
    "\u00a0",
    "😀",
    "=",
    "@",
    "12 ",
    "[EMAIL]",
]

mixed_texts = st.lists(st.sampled_from(_VALUES) | st.sampled_from(_GLUE) | st.text(max_size=6), max_size=8).map("".join)
"""Values of all kinds, glued together in ways that hide or break them."""
