"""The classes of errors."""

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from unit.measure.helpers_measure import Value, call_of, chat, key_values, span


@pytest.mark.parametrize(
    ("attributes", "message", "expected"),
    [
        # a status decides …
        ({"http.response.status_code": 429}, "", "rate_limit"),
        ({"http.response.status_code": "429"}, "", "rate_limit"),
        ({"error.type": "429"}, "", "rate_limit"),
        ({"error.code": "503"}, "", "provider_5xx"),
        ({"http.status_code": 401}, "", "auth"),
        ({"http.response.status_code": 504}, "", "timeout"),
        ({"http.response.status_code": 499}, "", "cancelled"),
        ({"http.response.status_code": 529}, "", "provider_5xx"),
        ({"rpc.grpc.status_code": 8}, "", "rate_limit"),
        ({"rpc.grpc.status_code": 4}, "", "timeout"),
        ({}, "Error code: 429 - slow down", "rate_limit"),
        ({}, "Request failed with status code 500", "provider_5xx"),
        ({}, "HTTP/1.1 403 Forbidden", "auth"),
        # … unless it says too little
        ({"http.response.status_code": 400}, "", "bad_request"),
        ({"http.response.status_code": 400}, "This model's maximum context length is 8192", "context_overflow"),
        ({"rpc.grpc.status_code": 3}, "", "bad_request"),
        ({"rpc.grpc.status_code": 3}, "Prompt is too long", "context_overflow"),
        # a provider's code
        ({}, "{'code': 'context_length_exceeded'}", "context_overflow"),
        ({}, "{'code': 'insufficient_quota'}", "rate_limit"),
        ({}, "ThrottlingException: slow", "rate_limit"),
        ({}, "internal_server_error", "provider_5xx"),
        ({"error.code": "content_filter"}, "", "safety_block"),
        ({"rpc.response.status_code": "RESOURCE_EXHAUSTED"}, "", "rate_limit"),
        ({"error.type": "rate_limited"}, "", "rate_limit"),
        # the class of the exception
        ({"error.type": "openai.RateLimitError"}, "", "rate_limit"),
        ({"error.type": "APITimeoutError"}, "", "timeout"),
        ({"error.type": "litellm.exceptions.ContextWindowExceededError"}, "", "context_overflow"),
        ({"error.type": "litellm.ContentPolicyViolationError"}, "", "safety_block"),
        ({"error.type": "openlit.guard.GuardDeniedError"}, "", "safety_block"),
        ({"error.type": "openlit.guard.GuardTimeoutError"}, "", "timeout"),
        ({"error.type": "openai.AuthenticationError"}, "", "auth"),
        ({"error.type": "asyncio.exceptions.CancelledError"}, "", "cancelled"),
        ({"error.type": "json.decoder.JSONDecodeError"}, "", "malformed_response"),
        ({"error.type": "openai.InternalServerError"}, "", "provider_5xx"),
        ({"error.type": "openai.BadRequestError"}, "", "bad_request"),
        ({"error.type": "openai.BadRequestError"}, "the content management policy", "safety_block"),
        ({"error.type": "timeout.client.SomeError"}, "", "other"),
        # a phrase
        ({}, "Request timed out.", "timeout"),
        ({}, "Too many requests", "rate_limit"),
        ({}, "The model is overloaded", "provider_5xx"),
        # nothing known
        ({}, "", "other"),
        ({"error.type": "_OTHER"}, "Connection refused", "other"),
        ({}, "not_content_filtered", "other"),
    ],
)
def test_class_of_an_error(attributes: dict[str, Value], message: str, expected: str) -> None:
    """Status, code, class and phrase decide, in this order."""
    assert call_of(span(chat() | attributes, error=message)).error_class == expected


def test_exception_events_are_evidence() -> None:
    """An exception's class and message on an event are read as those of the span."""
    one = span(chat(), error="")
    one.events.append(Span.Event(name="other", attributes=key_values({"exception.type": "x.RateLimitError"})))
    one.events.append(Span.Event(name="exception", attributes=key_values({"exception.message": "it timed out"})))
    assert call_of(one).error_class == "timeout"
    one.events.append(Span.Event(name="exception", attributes=key_values({"exception.type": "x.RateLimitError"})))
    assert call_of(one).error_class == "rate_limit"


@pytest.mark.parametrize("given", ["", 0, 504, True])
def test_an_error_type_that_is_no_text_says_nothing(given: Value) -> None:
    """The convention has a text there; some write it empty for what went well."""
    assert call_of(span(chat() | {"error.type": given})).error_class is None


def test_an_error_type_alone_is_an_error() -> None:
    """A span without a status is an error when it has an error type."""
    assert call_of(span(chat() | {"error.type": "TimeoutError"})).error_class == "timeout"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("stop", None),
        ("content_filter", "safety_block"),
        ("SAFETY", "safety_block"),
        ("content-filter", "safety_block"),
        ("MALFORMED_FUNCTION_CALL", "malformed_response"),
        ("error", "other"),
    ],
)
def test_finish_reasons_of_answered_calls(reason: str, expected: str | None) -> None:
    """A call that was answered has failed when its finish reason says so."""
    assert call_of(span(chat(response__finish_reasons=["stop", reason]))).error_class == expected


def test_text_without_an_error_is_no_error() -> None:
    """Texts are no evidence while nothing says that the call failed."""
    one = span(chat() | {"error.message": "rate limit", "http.response.status_code": 429})
    assert call_of(one).error_class is None
