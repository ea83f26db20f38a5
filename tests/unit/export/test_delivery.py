"""What is settled weighs nothing any more: the account of a queue is even once all is delivered, before any stop."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import pytest

from fakes import ManualClock
from spansieve.config_exporters import Retry
from spansieve.export import retry
from spansieve.export.batch import cut, take_traces
from spansieve.export.delivery import Delivery, NotAcceptedError, Surroundings
from spansieve.export.pause import Pause
from spansieve.export.queue import ExportQueue
from spansieve.model import SampledTrace, Signal
from spansieve.outcome import Ledger
from unit.export.helpers_export import Account, Recorder, Sleeps, fates, received, trace


@pytest.fixture(autouse=True, scope="module")
def small_limits() -> Iterator[None]:
    """The peers here may have any limit, so that messages need not be large."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retry, "LEAST_LIMIT", 0)
        yield


TOO_LARGE = NotAcceptedError("RESOURCE_EXHAUSTED", None)
REFUSED = NotAcceptedError("INTERNAL", None)
AWAY = NotAcceptedError("UNAVAILABLE", None)
NO_TOKEN = NotAcceptedError("UNAUTHENTICATED", None)


@pytest.mark.parametrize(
    ("answers", "ended"),
    [
        ([0], {"exported": 4}),
        ([3], {"downstream_rejected": 3, "exported": 1}),
        ([AWAY, AWAY, 0], {"exported": 4}),
        ([NO_TOKEN, AWAY, NO_TOKEN, 0], {"exported": 4}),
        ([REFUSED] * 7, {"downstream_rejected": 4}),
        ([REFUSED, 0, REFUSED, REFUSED, 0], {"downstream_rejected": 1, "exported": 3}),
        ([REFUSED, AWAY, 0, NO_TOKEN, 0], {"exported": 4}),
        ([TOO_LARGE, 0, 0], {"exported": 4}),
        ([TOO_LARGE, TOO_LARGE, 0, 0, AWAY, 0], {"exported": 4}),
        (
            [TOO_LARGE, TOO_LARGE, TOO_LARGE, 0, REFUSED, REFUSED, REFUSED],
            {"too_large": 1, "exported": 1, "downstream_rejected": 2},
        ),
    ],
)
async def test_the_account_is_even(answers: list[int | NotAcceptedError], ended: dict[str, int]) -> None:
    """Whatever the answers: the envelope of a halved trace went more than once, and was weighed as often."""
    delivered = await deliver(answers, [trace(*"abcd")])
    assert not delivered.script
    assert fates(delivered.ledger) == ended


@dataclass
class Delivered:
    """What became of traces that were delivered to a peer with a script."""

    ledger: Ledger
    script: deque[int | NotAcceptedError]
    log: Recorder
    calls: int = 0
    refused_with: list[str] = field(default_factory=list)  # as the status had it at each call


async def deliver(answers: Iterable[int | NotAcceptedError], traces: Iterable[SampledTrace]) -> Delivered:
    """Deliver traces in one batch until all have their fate; the peer accepts once the script is over.

    Each call takes a second.
    """
    ends = Delivered(Ledger(), deque(answers), Recorder())
    clock = ManualClock()

    async def send(_: bytes) -> int:
        clock.advance(1)
        ends.calls += 1
        ends.refused_with.append(delivery.status().refused_with)
        answer = ends.script.popleft() if ends.script else 0
        if isinstance(answer, NotAcceptedError):
            raise answer
        return answer

    pause = Pause(Sleeps(wakes_at_once=True))
    around = Surroundings(Retry(), ends.ledger, clock, lambda: 0.5, pause, ends.log)
    queue = ExportQueue(lambda waiting: take_traces(waiting, 1_000_000))
    delivery = Delivery(Signal.TRACES, queue, send, around)
    queue.put(piece for each in received(ends.ledger, traces) for piece in cut(each, 1_000_000))
    queue.close()
    await delivery.run()
    assert (queue.items, queue.size) == (0, 0)
    return ends


async def test_a_peer_that_refuses_all_is_not_asked_for_each_item() -> None:
    """After so many refusals the rest goes as a whole; and one line tells of the batch."""
    delivered = await deliver([REFUSED] * 1000, [trace("a", number=number) for number in range(1, 400)])
    assert delivered.calls <= 64 + 10  # and the halves that wait, down from the whole
    assert fates(delivered.ledger) == {"downstream_rejected": 399}
    values = {"signal": "traces", "items": 399, "reason": "downstream_rejected", "code": "INTERNAL"}
    assert delivered.log.lines == [("error", "export_dropped", values)]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([0], [(4, 0, "downstream_rejected")]),
        ([3], [(4, 3, "downstream_rejected")]),
        ([TOO_LARGE, 0, 1], [(2, 0, "downstream_rejected"), (2, 1, "downstream_rejected")]),
        (
            [TOO_LARGE, 0, TOO_LARGE, TOO_LARGE, 0],
            [(2, 0, "downstream_rejected"), (1, 1, "too_large"), (1, 0, "downstream_rejected")],
        ),
    ],
)
async def test_receipts_hear_the_fate_of_every_item(
    answers: list[int | NotAcceptedError], told: list[tuple[int, int, str]]
) -> None:
    """The journal strikes off what it hears of here: part by part, how many items left, and how many were dropped."""
    account = Account()
    await deliver(answers, [replace(trace(*"abcd"), receipt=account)])
    assert account.told == told


@pytest.mark.parametrize("last", [0, REFUSED])
async def test_an_outage_ends_with_the_first_answer(last: int | NotAcceptedError) -> None:
    """Also with one that refuses the batch for what it is. It is told how long it took, and in how many attempts."""
    delivered = await deliver([AWAY, AWAY, NO_TOKEN, last], [trace("a")])
    values = {"signal": "traces", "failed_attempts": 3, "after_seconds": 3.0}
    assert ("info", "export_recovered", values) in delivered.log.lines


async def test_a_peer_that_is_away_is_not_said_to_refuse() -> None:
    """What it refused with stands in the status until another answer, or none, came."""
    delivered = await deliver([NO_TOKEN, NO_TOKEN, AWAY, NO_TOKEN, 0], [trace("a")])
    assert delivered.refused_with == ["", "UNAUTHENTICATED", "UNAUTHENTICATED", "", "UNAUTHENTICATED"]
