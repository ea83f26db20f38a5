from typing import Any

import pytest
from bench import sink
from bench.sink import Sink

from unit.bench.helpers_bench import recording

CONTEXT: Any = None  # the sink does not look at it


async def test_spans_are_counted_and_told_apart() -> None:
    """A request that comes twice is counted twice, its spans are distinct once."""
    found = recording("chat")
    counter = Sink()
    for _ in range(2):
        await counter.export("traces", found.body(0, 1), CONTEXT)
    report = counter.report()
    assert (report["spans"], report["distinct"]) == (2 * found.spans[0], found.spans[0])


async def test_values_that_arrive_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything planted is found when nothing took it out."""
    found = recording("chat")
    monkeypatch.setattr(sink, "load", recording)
    counter = Sink()
    counter.search("chat")
    for index in range(len(found.pieces)):
        await counter.export("traces", found.body(index, 1), CONTEXT)
    report = counter.report()
    assert report["there"] == report["of"]
    assert sum(report["of"].values()) == sum(map(len, found.values.values()))


async def test_values_that_were_taken_out_are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that is replaced is not found, the others are."""
    found = recording("chat")
    emails = {n for vs in found.values.values() for v in vs if v.kind == "email" for n in v.needles}
    monkeypatch.setattr(sink, "load", recording)
    counter = Sink()
    counter.search("chat")
    for index in range(len(found.pieces)):
        body = found.body(index, 1)
        for email in emails:
            body = body.replace(email.encode(), b"x" * len(email))
        await counter.export("traces", body, CONTEXT)
    report = counter.report()
    assert report["there"]["personal email"] == 0
    assert report["there"]["personal phone"] == report["of"]["personal phone"] > 0


async def test_metrics_do_not_count_as_spans() -> None:
    """Requests are counted by signal."""
    counter = Sink()
    await counter.export("metrics", b"\n\0", CONTEXT)
    assert counter.report()["requests"] == {"metrics": 1}
    assert counter.report()["spans"] == 0
