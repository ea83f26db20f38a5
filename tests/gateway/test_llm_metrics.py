"""What a whole gateway measures of the captures: the sums at /metrics are what the stand-in API said, to the token."""

from pathlib import Path

import pytest

from e2e.harness.sink import GrpcSink
from gateway.helpers_gateway import StartGateway, sender

CAPTURES = sorted(
    path for path in (Path(__file__).parents[1] / "captures").glob("*.pb") if not path.name.endswith(".metrics.pb")
)
# In all captures together: answered chats, embeddings, failed calls; and what the API says that one took.
_CHATS, _EMBEDDINGS, _FAILED = 22, 4, 23
_CHAT_INPUT, _CHAT_OUTPUT, _EMBEDDING_INPUT = 30, 12, 5
_OWN_COUNT = 2  # OpenLIT counts the input of its one streamed call by itself


@pytest.mark.parametrize("transport", ["grpc", "http", "json"])
@pytest.mark.parametrize("times", [1, 2])
def test_the_sums_are_what_the_api_said(start: StartGateway, sink: GrpcSink, transport: str, times: int) -> None:
    """Requests, tokens and failures are those that there were, over each transport, also when all is sent twice."""
    gateway = start(sink)
    with sender(gateway, transport) as to_gateway:
        for path in CAPTURES * times:
            file = path.with_suffix(".json") if transport == "json" else path
            assert to_gateway.send(path.suffixes[0].removeprefix("."), file.read_bytes()).ok
    metrics = gateway.metrics()
    assert metrics.total("spansieve_llm_requests_total") == _CHATS + _EMBEDDINGS + _FAILED
    assert metrics.total("spansieve_llm_errors_total") == _FAILED
    given = _CHATS * _CHAT_INPUT + _EMBEDDINGS * _EMBEDDING_INPUT + _OWN_COUNT
    assert metrics.total("gen_ai_client_token_usage_sum", gen_ai_token_type="input") == given
    assert metrics.total("gen_ai_client_token_usage_sum", gen_ai_token_type="output") == _CHATS * _CHAT_OUTPUT
    assert metrics.total("spansieve_llm_not_understood_total") == 0
