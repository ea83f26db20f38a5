"""What the default policy leaves alone: a corpus of telemetry without anything personal."""

from collections import Counter

import pytest
from bench.look_alikes import MAKERS, generated

from accuracy.benign_texts import written
from unit.redact.helpers_redact import clean

_EACH = 40
_SEED = 20260102
_MOST = 0.005
_NEVER = [
    "uuid",
    "trace id",
    "span id",
    "traceparent",
    "sha256",
    "model",
    "completion",
    "tool call",
    "usage",
    "count",
    "instant",
    "nanoseconds",
    "pod",
    "version",
]


@pytest.mark.parametrize("text", written())
def test_written_texts_stay(text: str) -> None:
    """No rule touches what a person wrote down as harmless."""
    assert clean(text) == text


def test_the_corpus_is_large() -> None:
    """The share is of at least two thousand texts."""
    assert len(written()) + _EACH * len(MAKERS) >= 2000


def test_few_generated_texts_change() -> None:
    """Fewer than one text in two hundred changes; digits in a row may be somebody's number by chance."""
    texts = [*generated(_EACH, _SEED), *(("written", text) for text in written())]
    wrong = Counter(kind for kind, text in texts if clean(text) != text)
    assert sum(wrong.values()) / len(texts) < _MOST, dict(wrong)


@pytest.mark.parametrize("kind", _NEVER)
def test_the_ids_of_telemetry_never_change(kind: str) -> None:
    """Ids, hashes, times, models and token counts stay without exception."""
    assert [text for found, text in generated(_EACH, _SEED) if found == kind and clean(text) != text] == []
