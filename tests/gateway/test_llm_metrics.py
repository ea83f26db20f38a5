"""What a whole gateway measures of the captures: the sums at /metrics are what the stand-in API said, to the token."""

from pathlib import Path

import pytest
from demo.gateway import Gateway

from e2e.harness.sink import GrpcSink
from gateway.helpers_gateway import ALWAYS, StartGateway, forwarding, sender

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


def test_gateways_that_push_to_one_collector_are_told_apart(sink: GrpcSink, tmp_path: Path) -> None:
    """Each has a `service.instance.id` of its own, which it keeps over a crash: else their series would be one."""
    (tmp_path / "other").mkdir()
    settings = forwarding(sink, ALWAYS)
    with Gateway(tmp_path, settings) as one, Gateway(tmp_path / "other", settings):
        assert sink.wait_for(lambda: len(_instances(sink)) == 2)
        one.kill()
        came = len(sink.requests("metrics"))
        one.start()
        assert sink.wait_for(lambda: _instances(sink, came) == _instances(sink))
    assert len(_instances(sink)) == 2


def _instances(sink: GrpcSink, since: int = 0) -> set[str]:
    """The ids of the resources whose metrics came."""
    return {
        attribute.value.string_value
        for request in sink.requests("metrics")[since:]
        for resource in request.resource_metrics
        for attribute in resource.resource.attributes
        if attribute.key == "service.instance.id"
    }
