"""OTLP/JSON loses nothing."""

from google.protobuf import json_format
from hypothesis import given

from properties.helpers_decode import relaxed, requests
from spansieve import otlp_json
from spansieve.model import ExportRequest, Signal


@relaxed
@given(requests())
def test_rendered_and_parsed_a_message_is_what_it_was(raw: tuple[Signal, ExportRequest]) -> None:
    """parse is the inverse of render, for messages with any field of the schema set."""
    signal, message = raw
    assert otlp_json.parse(otlp_json.render(message), signal) == message


@relaxed
@given(requests())
def test_but_for_ids_the_json_is_protobuf_s_own(raw: tuple[Signal, ExportRequest]) -> None:
    """google.protobuf reads what we write, once the ids, which OTLP writes in hexadecimal, are out of the way."""
    _, message = raw
    clear_ids(message)
    again = type(message)()
    json_format.Parse(otlp_json.render(message), again)
    assert again == message


def clear_ids(message: object) -> None:
    """Remove every id from a message."""
    for descriptor, value in list(message.ListFields()):  # type: ignore[attr-defined]  # any generated message
        if descriptor.name in {"trace_id", "span_id", "parent_span_id"}:
            message.ClearField(descriptor.name)  # type: ignore[attr-defined]  # any generated message
        elif descriptor.message_type is not None:
            for inner in value if descriptor.is_repeated else [value]:
                clear_ids(inner)
