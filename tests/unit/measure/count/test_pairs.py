"""Calls and runs of tools that a span and a log record tell without an id of the other."""

from spansieve.measure.count.once import Once
from spansieve.measure.llm_call import LlmCall, NotCounted, Observation, Tokens, ToolRun
from unit.measure.helpers_observations import call, origin

_SETTLE = 10.0


def _call(
    number: int,
    *,
    log: bool,
    answer: str = "",
    tokens: int = 5,
    cached: tuple[int | None, int | None] = (None, None),
    **more: str,
) -> LlmCall:
    at = origin(trace_id=b"" if log else bytes(16), span_id=b"" if log else bytes([number] * 8), log=log, logged=True)
    at = at._replace(start_ns=number, end_ns=number)
    used = Tokens(tokens, 1, *cached, None)
    return call(at, tokens=used, response_id=answer, **{"conversation": "c"} | more)


def _tool(number: int, *, log: bool, call_id: str = "t", beneath: bool = True) -> ToolRun:
    at = origin(span_id=bytes([number] * 8) if beneath else b"", log=log, logged=True)
    return ToolRun(at, "Bash", "", "", 1.0, None, (), call_id)


def _take(once: Once, *observed: Observation) -> list[Observation]:
    return once.take([(one,) for one in observed], [], 0.0)


def _tellers(out: list[Observation]) -> list[str]:
    return ["log" if one.origin.source.log else "span" for one in out if not isinstance(one, NotCounted)]


def _left_out(out: list[Observation]) -> list[str]:
    return [one.reason.value for one in out if isinstance(one, NotCounted)]


def test_the_span_counts_where_both_tell() -> None:
    """Whichever comes first: the span knows more, and the record is left out."""
    for both in ((True, False), (False, True)):
        once = Once()
        out = [each for at, log in enumerate(both) for each in _take(once, _call(at + 1, log=log, answer="r"))]
        out += once.settle(_SETTLE)
        assert (_tellers(out), _left_out(out)) == (["span"], ["repeated_log"])


def test_a_record_counts_alone() -> None:
    """Without tracing, records are all there is; each waits for its span first."""
    once = Once()
    assert _take(once, _call(1, log=True, answer="r"), _call(2, log=True, answer="s")) == []
    assert _tellers(once.settle(_SETTLE)) == ["log", "log"]


def test_a_span_that_comes_after_its_record_counted_is_left_out() -> None:
    """Half a minute late it tells nothing new."""
    once = Once()
    _take(once, _call(1, log=True, answer="r"))
    once.settle(_SETTLE)
    out = _take(once, _call(2, log=False, answer="r"))
    assert (_tellers(out), _left_out(out)) == ([], ["repeated_log"])


def test_without_the_answers_id_the_conversation_and_the_tokens_pair() -> None:
    """Two calls that are alike are two, each told by a span and by a record."""
    once = Once()
    out = _take(once, *(_call(number, log=number % 2 == 0) for number in range(1, 5)))
    out += _take(once, _call(5, log=True, tokens=6))
    out += once.settle(_SETTLE)
    assert sorted(_tellers(out)) == ["log", "span", "span"]


def test_tokens_of_the_cache_tell_calls_apart() -> None:
    """Those read and those written; none told is none."""
    once = Once()
    out = _take(once, _call(1, log=False, cached=(7, 8)))
    for number, cached in enumerate([(7, 8), (7, 9), (6, 8), (None, 8), (7, None)], 2):
        out += _take(once, _call(number, log=True, cached=cached))
    assert (_tellers(out + once.settle(_SETTLE)), _left_out(out)) == (["span"] + ["log"] * 4, ["repeated_log"])
    out = _take(once, _call(7, log=False, cached=(0, 0), conversation="d"))
    out += _take(once, _call(8, log=True, conversation="d"))
    assert (_tellers(out), _left_out(out)) == (["span"], ["repeated_log"])


def test_without_any_of_them_each_counts() -> None:
    """What neither has an answer's id nor a conversation is paired with nothing."""
    once = Once()
    out = _take(once, _call(1, log=True, conversation=""), _call(2, log=False, conversation=""))
    assert _tellers(out) == ["log", "span"]


def test_a_record_that_is_sent_again_counts_once() -> None:
    """Senders repeat what they got no answer for."""
    once, record = Once(), _call(1, log=True, answer="r")
    out = [*_take(once, record), *_take(once, record), *once.settle(_SETTLE), *_take(once, record)]
    assert _tellers(out) == ["log"]


def test_records_of_the_same_moment_are_told_apart() -> None:
    """Clocks of milliseconds: what differs in its tokens or conversation is another call."""
    once = Once()
    alike = _call(1, log=True, tokens=5), _call(1, log=True, tokens=6), _call(1, log=True, conversation="d")
    out = [*_take(once, *alike), *once.settle(_SETTLE)]
    assert _tellers(out) == ["log", "log", "log"]


def test_a_tools_run_counts_once() -> None:
    """By the model's id of its call; what has none is a run of its own."""
    once = Once()
    out = _take(once, _tool(1, log=True), _tool(2, log=False), _tool(3, log=False, call_id=""))
    assert (_tellers(out), _left_out(out)) == (["log", "span"], ["repeated_log"])


def test_a_tools_run_that_is_recorded_beneath_no_span_counts_once() -> None:
    """However often its record is sent; one of another id is another run."""
    once = Once()
    record = _tool(1, log=True, beneath=False)
    out = _take(once, record) + _take(once, record, _tool(1, log=True, call_id="u", beneath=False))
    assert _tellers(out + once.settle(_SETTLE)) == ["log", "log"]
