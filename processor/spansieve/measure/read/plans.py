"""Plans of how to read spans: worked out once for all spans that carry the same marks (see attributes.py).

Spans of one instrumentation carry the same attributes, and the same few texts on them: a plan holds where each field of
the dialect stands, what the texts say, and which prices hold. What is left for each span are its numbers and ids.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, NamedTuple

from spansieve import otlp_reduced
from spansieve.measure.llm_call import CallKind
from spansieve.measure.pricing import ByTier, PriceRow, Prices, PriceTable
from spansieve.measure.read.attributes import Mark, Plain, is_empty
from spansieve.measure.read.table import (
    FIELDS,
    LEAVES,
    Dialect,
    Dialects,
    Fields,
    Operation,
    Option,
    Options,
    placed,
)
from spansieve.measure.read.traits import TraitReader, Traits
from spansieve.measure.read.values import Told
from spansieve.model import SpanRecord

_SHAPES: Final = 4096
_REMEMBERED: Final = 4096
_LARGEST: Final = 4096  # bytes of the marks of a plan that is remembered


class Places(NamedTuple):
    """Where a call's values stand among a span's, if the first place of a field is a plain attribute: else NOWHERE."""

    input_tokens: int
    output_tokens: int
    streaming: int
    ttft: int  # in seconds
    conversation: int
    response_id: int


_APART: Final = (
    "cache_write_1h_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
    "audio_cache_read_tokens",
    "image_input_tokens",
    "image_output_tokens",
)
NOWHERE: Final = -1
"""A place at which nothing stands: whoever reads by Places puts a None behind a span's values."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What can be read from spans that carry the same attributes."""

    dialect: Dialect
    known: bool  # the spans speak it; else they carry a signal, or events, and nothing of any dialect
    keys: tuple[str, ...]  # of their attributes, in their order
    fields: Fields  # as far as they can be answered, with places
    places: Places
    parts: bool  # tokens that are part of the input or the output may be told
    timed: bool  # whether it streamed, or a time within the answer, may be told
    apart: bool  # tokens that have prices of their own may be told
    gaps: bool  # times from one token or chunk to the next may be told
    signals: bool  # evaluations, feedback or regenerations may be among the attributes
    failure: bool  # an attribute may say that it failed
    unread: bool  # it carries a model's name or a usage: if it is no call, that is worth a count
    usage: tuple[int, ...]  # places of which one with a value shows that a span with a model's name is a call

    def by_key(self, found: Sequence[Plain]) -> dict[str, Plain]:
        """Return a span's values by their keys."""
        return dict(zip(self.keys, found, strict=False))  # behind the values may stand a None


@dataclass(frozen=True, slots=True)
class Plan:
    """How to read spans with the same marks."""

    shape: Shape
    traits: Traits
    operation: Operation | None  # what they are, if they are something
    kind: CallKind | None  # what their calls have in common, if they are calls
    streaming: bool | None  # whether they are streamed, if what they are says so
    prices: Prices | None  # of the model that they call, if any are known
    row: PriceRow | None  # the same, if they never change
    leaf: bool  # they are calls for certain, and if one failed its status says so

    def operation_of(self, found: Sequence[Plain]) -> Operation | None:
        """Return what a span is; one that does not say it is something only if it has a provider or a usage."""
        if self.traits.unsaid and all(is_empty(found[at]) for at in self.shape.usage):
            return None
        return self.operation


class Plans:
    """Makes plans, and remembers boundedly many.

    `keys_of` returns the keys of marks; `signals` and `failures` are the attributes that tell of a signal, and of a
    failure. Owner: one Reader.
    """

    def __init__(
        self,
        dialects: Dialects,
        traits: TraitReader,
        prices: PriceTable,
        keys_of: Callable[[Iterable[Mark]], tuple[str, ...]],
        *,
        signals: frozenset[str],
        failures: frozenset[str],
    ) -> None:
        self._dialects = dialects
        self._traits = traits
        self._prices = prices
        self._keys_of = keys_of
        self._signals = signals
        self._failures = failures
        self._usage_keys = _usage_keys(dialects)
        # What spans carry comes from outside: remembered, but not without bound.
        self._shapes = lru_cache(maxsize=_SHAPES)(self._shape)
        # Where a span's name may say what it is, there is a plan for each name.
        self._remembered: dict[tuple[Dialect | None, tuple[Mark, ...], bool], Plan | dict[str, Plan]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def clear(self) -> None:
        """Forget all plans."""
        self._remembered.clear()
        self._count = 0

    def of(
        self,
        dialect: Dialect | None,
        marks: tuple[Mark, ...],
        found: Sequence[Plain],
        record: SpanRecord | None = None,
        *,
        events: bool = False,
        event: str = "",
    ) -> Plan | None:
        """Return the plan of a span, or of a log record, with these marks and values.

        `dialect` is that of its scope, `events` whether it has any; `event` is the name of a log record's. None for one
        that no dialect knows and that carries no signal.
        """
        known = self._remembered.get((dialect, marks, events))
        if type(known) is Plan:
            return known
        name = event if record is None else (record.head or otlp_reduced.span(record.data)).name
        if type(known) is dict and (plan := known.get(name)) is not None:
            return plan
        shape = self._shapes(dialect, self._keys_of(marks), events)
        if shape is None:
            return None
        plan = self._plan(shape, found, name if shape.dialect.has_names else "")
        if sum(map(len, marks)) + len(name) <= _LARGEST:
            if self._count >= _REMEMBERED:
                self.clear()  # what comes again is back after one look
            self._count += 1
            if shape.dialect.has_names:
                by_name = known if type(known) is dict else {}
                by_name[name] = plan
                self._remembered[dialect, marks, events] = by_name
            else:
                self._remembered[dialect, marks, events] = plan
        return plan

    def _plan(self, shape: Shape, found: Sequence[Plain], name: str) -> Plan:
        dialect = shape.dialect
        traits = self._traits.read(Told(found), dialect, shape.fields, name)
        operation = traits.operation
        if traits.unsaid and traits.request_model:
            operation = dialect.default_operation
        if operation is None or operation.what not in LEAVES:
            return Plan(shape, traits, operation, None, None, None, None, leaf=False)
        kind = CallKind(
            operation.what,
            traits.provider,
            traits.request_model or traits.model,
            traits.response_model,
            traits.service_tier,
            traits.finish_reasons,
            traits.prompt_name,
            traits.prompt_version,
            traits.agent_name,
        )
        prices = self._prices.of(kind.provider, kind.response_model, kind.request_model)
        row = prices.timeless(kind.service_tier) if isinstance(prices, ByTier) else None
        leaf = not (traits.unsaid or shape.failure or dialect.streams_apart)
        return Plan(shape, traits, operation, kind, operation.streaming, prices, row, leaf=leaf)

    def _shape(self, dialect: Dialect | None, keys: tuple[str, ...], events: bool) -> Shape | None:  # noqa: FBT001
        places = {key: at for at, key in enumerate(keys)}  # of two with the same key the last one counts
        present = places.keys()
        if dialect is None:
            dialect = self._dialects.by_keys(places)
        known = dialect is not None
        if dialect is None:
            if self._signals.isdisjoint(present) and not events:
                return None
            dialect = self._dialects.ordered[-1]
        fields = _placed(dialect.fields, places, events=events)
        gaps = fields.time_per_output_token or fields.time_per_output_chunk
        usage = (*fields.provider, *fields.input_tokens, *fields.output_tokens)
        return Shape(
            dialect,
            known,
            keys,
            fields,
            Places(*(_place(getattr(fields, name)) for name in Places._fields)),
            parts=bool(
                fields.cache_read_tokens
                or fields.cache_write_tokens
                or fields.reasoning_tokens
                or fields.more_input_tokens
                or fields.more_output_tokens
            ),
            timed=bool(fields.streaming or fields.ttft or gaps),
            apart=any(getattr(fields, name) for name in _APART),
            gaps=bool(gaps),
            signals=not self._signals.isdisjoint(present),
            failure=not self._failures.isdisjoint(present),
            unread=not self._usage_keys.isdisjoint(present),
            usage=tuple(option.at for option in usage if option.key),
        )


def _placed(of: Fields, places: Mapping[str, int], *, events: bool) -> Fields:
    """Return fields with only those options that a span with these attributes (and events) can answer."""
    return replace(
        of,
        **{name: placed(options, places, events=events) for name in FIELDS if (options := getattr(of, name))},
    )


def _place(options: Options) -> int:
    """Return where a field's value stands, if nothing is to be done with it but to take it."""
    if not options:
        return NOWHERE
    first = options[0]
    same = Option(first.key, quoted=first.quoted, special=first.special, at=first.at)
    return first.at if first == same and not first.special else NOWHERE


def _usage_keys(dialects: Dialects) -> frozenset[str]:
    """Return the attributes that only something that used a model carries."""
    names = ("input_tokens", "output_tokens", "request_model", "response_model")
    return frozenset(
        option.key
        for dialect in dialects.ordered
        for name in names
        for option in getattr(dialect.fields, name)
        if option.key and not option.path
    )
