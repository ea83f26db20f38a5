"""What is measured: the way of an observation from the reader to the series."""

from collections.abc import Iterable, Iterator, Sequence

import orjson

from spansieve import pieces
from spansieve.measure import added
from spansieve.measure.count import once_state
from spansieve.measure.count.adjusted import adjusted_count
from spansieve.measure.count.conversations import Conversations
from spansieve.measure.count.exemplars import Candidates
from spansieve.measure.count.labels import CleanLabel
from spansieve.measure.count.links import Ids
from spansieve.measure.count.once import Once
from spansieve.measure.count.overflow import Overflowed
from spansieve.measure.count.recorder import Recorder
from spansieve.measure.llm_call import LlmCall, Observation
from spansieve.measure.pricing import PriceTable
from spansieve.measure.read import dialects, failures, providers
from spansieve.measure.read.reading import Reader
from spansieve.measure.settings import DEFAULTS, MeterSettings

_PRICES = "spansieve.llm.prices.info"
_ACTIVE = "spansieve.llm.active_conversations"
_STATE = b"4"
"""The format of `Meter.state`."""


class Meter:
    """What is measured, over all traffic and before sampling. Owner: the thread that calls `measure.batch`.

    Times are seconds on one clock that never runs backwards, also not over a restart. `clean_label` takes out of label
    values that people write what no rule of redaction finds; it is asked once for each new value.
    """

    def __init__(
        self, prices: PriceTable, settings: MeterSettings = DEFAULTS, *, clean_label: CleanLabel | None = None
    ) -> None:
        self.settings = settings
        self.reader = Reader(
            dialects.load(),
            providers.load(),
            failures.load(),
            prices,
            separate_cache=providers.load_separate_cache(),
            extra_keys=[label.attribute for label in settings.own_labels],
            user_key=settings.user_key,
            adjusted_count=adjusted_count,
        )
        self._prices = prices
        self._once = Once(spans=settings.seen_spans)
        self._candidates = Candidates(settings.exemplar_patience_s)
        self._conversations = Conversations(settings.conversation_idle_s)
        self._recorder = Recorder(settings, self._candidates, clean_label)
        self.series = self._recorder.series
        self._active = -1  # conversations, as last shown
        self._show_prices()

    def _show_prices(self) -> None:
        version = self._prices.version
        self.series.clear(_PRICES)
        self.series.set(_PRICES, (version.version, version.date, version.override_digest), 1)

    def take_over_prices(self, prices: PriceTable) -> None:
        """Price calls by another table from now on."""
        self._prices.take_over(prices)
        self.reader.forget()
        self._show_prices()

    def reads(self, key: str) -> bool:
        """Whether a span with an attribute of this key may tell something; the same for as long as the meter lives."""
        return self.reader.reads(key)

    def reads_event(self, name: str) -> bool:
        """Whether a span with an event of this name may tell something; the same for as long as the meter lives."""
        return self.reader.reads_event(name)

    def take(self, told: Iterable[Sequence[Observation]], spans: Sequence[Ids], now: float) -> int:
        """Enter what the spans or log records of one request tell, each its observations, less what was told before.

        `spans` are all of the request. Return how many calls were counted.
        """
        counted = self._once.take(told, spans, now)
        return self._enter(counted, now) if counted else 0

    def _enter(self, observations: Iterable[Observation], now: float) -> int:
        calls = 0
        record, heard = self._recorder.record, self._conversations.heard
        for observation in observations:
            record(observation, now)
            if type(observation) is LlmCall:
                calls += 1
                if conversation := observation.conversation:
                    origin = observation.origin
                    heard(origin.source.service, conversation, origin.trace_id, origin.start_ns, origin.end_ns, now)
        return calls

    def settle(self, now: float) -> None:
        """Do what time brings: count what waited, end conversations, give up exemplars whose trace was not kept."""
        if waited := self._once.settle(now):
            self._enter(waited, now)
        self._candidates.expire(now)
        for conversation in self._conversations.ended(now):
            self._recorder.ended(conversation)
        active = len(self._conversations)
        if active != self._active:
            self._active = active
            self.series.set(_ACTIVE, (), active)

    def kept(self, trace_id: bytes) -> None:
        """Let the values of a trace become exemplars: it was kept."""
        self._candidates.kept(trace_id)

    def marks(self, trace_id: bytes) -> dict[bytes, bytes]:
        """Return, by span id, the attributes that spans of a trace are marked with, serialized: see added.mark."""
        return {span: added.mark(found) for span, found in self._once.disagreements(trace_id).items()}

    def overflow(self) -> list[Overflowed]:
        """Return the label values that count under `other` most often: redacted, and boundedly many."""
        return self._recorder.overflow.top()

    def state(self) -> Iterator[bytes]:
        """Everything that is remembered, exactly, as it is now: pieces (see pieces.py), made as they are asked for.

        Joined they are what `restore` makes the same meter of. Series, bounded by label_limit, are made into bytes at
        once, some 0.2 µs each: to copy them would take as long.
        """
        parts = (
            [pieces.piece("format", _STATE)],
            pieces.grown("recorder", orjson.dumps(self._recorder.state())),
            pieces.lines("conversations", self._conversations.state()),
            pieces.lines("candidates", self._candidates.state()),
            once_state.state(self._once),
        )
        return (piece for part in parts for piece in part)

    def restore(self, state: bytes) -> None:
        """Take over what `state` of a meter returned, joined. Raises ValueError when it is of no such format."""
        kept = pieces.sections(state)
        if kept.get("format") != [_STATE]:
            raise ValueError("the state of the meter is of another format")
        once_state.restore(self._once, kept)
        self._recorder.restore(orjson.loads(b"".join(kept["recorder"])))
        self._conversations.restore(map(orjson.loads, kept.get("conversations", ())))
        self._candidates.restore(map(orjson.loads, kept.get("candidates", ())), self.series.existing)
        self._active = -1
        self._show_prices()
