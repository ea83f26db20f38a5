"""What is settled weighs nothing any more: the account of a queue is even once all is delivered, before any stop."""

from collections import deque
from collections.abc import Iterator

import pytest

from fakes import ManualClock
from spansieve.config_exporters import Retry
from spansieve.export import retry
from spansieve.export.batch import cut, take_traces
from spansieve.export.delivery import Delivery, NotAcceptedError, Surroundings
from spansieve.export.pause import Pause
from spansieve.export.queue import ExportQueue
from spansieve.model import Signal
from spansieve.outcome import Ledger
from unit.export.helpers_export import Recorder, Sleeps, fates, received, trace


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
        ([REFUSED], {"downstream_rejected": 4}),
        ([TOO_LARGE, 0, 0], {"exported": 4}),
        ([TOO_LARGE, TOO_LARGE, 0, 0, AWAY, 0], {"exported": 4}),
        ([TOO_LARGE, TOO_LARGE, TOO_LARGE, 0, REFUSED], {"too_large": 1, "exported": 1, "downstream_rejected": 2}),
    ],
)
async def test_the_account_is_even(answers: list[int | NotAcceptedError], ended: dict[str, int]) -> None:
    """Whatever the answers: the envelope of a halved trace went more than once, and was weighed as often."""
    ledger = Ledger()
    script = deque(answers)

    async def send(_: bytes) -> int:
        answer = script.popleft()
        if isinstance(answer, NotAcceptedError):
            raise answer
        return answer

    around = Surroundings(Retry(), ledger, ManualClock(), lambda: 0.5, Pause(Sleeps(wakes_at_once=True)), Recorder())
    queue = ExportQueue(lambda waiting: take_traces(waiting, 100_000))
    delivery = Delivery(Signal.TRACES, queue, send, around)
    queue.put(piece for each in received(ledger, [trace(*"abcd")]) for piece in cut(each, 100_000))
    queue.close()
    await delivery.run()
    assert not script
    assert fates(ledger) == ended
    assert (queue.items, queue.size) == (0, 0)
