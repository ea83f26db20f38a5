"""Values written in other ways are found: a figure for each way. Run with -s, or as a script, for the table."""

import sys
from pathlib import Path
from random import Random

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))  # for being run as a script; pytest has it already

from unit.redact.helpers_evasion import CARRIERS, CLASSES, MAKERS
from unit.redact.helpers_redact import clean

_VALUES = 12  # of each kind, in each carrier
_RECALL = 0.95


def _missed(name: str, kind: str) -> list[str]:
    """What came through as it went in, of all values of a kind in all carriers."""
    random = Random(f"{name} {kind}")
    transform = CLASSES[name][1]
    missed: list[str] = []
    for carrier in CARRIERS:
        for _ in range(_VALUES):
            written = transform(MAKERS[kind](random), random)
            text = carrier.format(written)
            if not _gone(written, clean(text)):
                missed.append(text)
    return missed


def _gone(written: str, out: str) -> bool:
    """Whether no more than a few characters in a row are left of what was written."""
    size = len(written)
    if size < 24:
        inner = written[size // 4 : -(size // 4)] if size > 12 else written
        return not any(inner[at : at + 6] in out for at in range(len(inner) - 5))
    return written[size // 3 : -(size // 3)] not in out


@pytest.mark.parametrize("name", CLASSES)
def test_recall_of_each_way(name: str) -> None:
    """Of each way to write a value, at least 95 of 100 are found, for each kind of value."""
    total = len(CARRIERS) * _VALUES
    for kind in CLASSES[name][0]:
        missed = _missed(name, kind)
        recall = 1 - len(missed) / total
        sys.stdout.write(f"{name:42}{kind:10}{recall:8.3f}\n")
        assert recall >= _RECALL, missed[:3]


if __name__ == "__main__":
    for each in CLASSES:
        for one in CLASSES[each][0]:
            lost = _missed(each, one)
            sys.stdout.write(f"{each:42}{one:10}{1 - len(lost) / len(CARRIERS) / _VALUES:8.3f}  {lost[:1]!a}\n")
