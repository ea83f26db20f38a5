"""The shipped patterns run on a backtracking engine, so it is shown that none of them goes back far."""

import re
from collections.abc import Iterator
from functools import cache
from time import process_time
from typing import Any

import pytest

from spansieve.redact import policy
from spansieve.redact.policy import Rule
from spansieve.redact.rules import linear

_parser: Any = re._parser  # type: ignore[attr-defined]
_SIZE = 8192
# So many times what `_yardstick` costs, which goes eighty steps at each place, a pattern may cost: the slowest of ours
# takes three times as much, and those that go back far take fifty times and more.
_MOST = 10
_PIECES = (
    "0",
    "a",
    "A",
    " ",
    "-",
    ".",
    "0 ",
    "0-",
    "a.",
    "a ",
    "A ",
    "a-",
    "=a",
    ": ",
    "é",
    "/",
    "aA0",
    "0a",
    '"',
    "\n",
)


def _all() -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    rules: list[Rule] = [rule for name in policy.packs() for rule in policy.pack_rules(name)]
    rules += [rule for name in policy.shipped_names() for rule in policy.parse(policy.shipped(name)).rules]
    for rule in rules:
        for number, pattern in enumerate((*rule.patterns, *rule.context_patterns)):
            if pattern not in seen:
                seen.add(pattern)
                yield f"{rule.name} {number}", pattern


_PATTERNS = dict(_all())


def _longest(items: Any, last: bool = True) -> str:  # noqa: ANN401, FBT002 - re's parse trees have no public type
    """A text that a pattern matches with all repeats as long as they may be, up to a few hundred."""
    out = []
    for operation, argument in items:
        match str(operation):
            case "LITERAL":
                out.append(chr(argument))
            case "IN":
                out.append(_one_of(argument))
            case "ANY" | "NOT_LITERAL":
                out.append("a" if argument != ord("a") else "b")
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                low, high, body = argument
                out.append(_longest(body) * max(low, min(int(high), 300)))
            case "SUBPATTERN":
                out.append(_longest(argument[-1]))
            case "BRANCH":
                out.append(max((_longest(branch) for branch in argument[1]), key=len))
            case "ATOMIC_GROUP":
                out.append(_longest(argument))
    return "".join(out)[: 4 * _SIZE]


def _one_of(argument: Any) -> str:  # noqa: ANN401 - see _longest
    takes = _in(argument)
    return next((candidate for candidate in "a0A -._/+=@:,!x\n" if takes(candidate)), "a")


def _in(argument: Any) -> Any:  # noqa: ANN401 - see _longest
    negated = str(argument[0][0]) == "NEGATE"

    def takes(character: str) -> bool:
        for operation, value in argument[negated:]:
            name = str(operation)
            if name == "LITERAL" and ord(character) == value:
                return not negated
            if name == "RANGE" and value[0] <= ord(character) <= value[1]:
                return not negated
            if name == "CATEGORY":
                kind = str(value).removeprefix("CATEGORY_")
                truth = {"DIGIT": character.isdigit(), "SPACE": character.isspace(), "WORD": character.isalnum()}
                if truth[kind.removeprefix("NOT_")] is not kind.startswith("NOT_"):
                    return not negated
        return negated

    return takes


def _attacks(pattern: str) -> Iterator[str]:
    """Texts in which a match nearly ends: the longest ones but for their end, and runs of what repeats may take."""
    longest = _longest(_parser.parse(pattern))
    for cut in (1, 2, 5):
        piece = longest[:-cut] + "\x01"
        yield (piece * (_SIZE // len(piece) + 1))[:_SIZE]
    head = longest[: len(longest) // 2]
    yield (head * (_SIZE // max(1, len(head)) + 1))[:_SIZE]
    yield from ((piece * (_SIZE // len(piece) + 1))[:_SIZE] for piece in _PIECES)


@pytest.mark.parametrize("name", _PATTERNS)
def test_no_text_takes_a_shipped_pattern_long(name: str) -> None:
    """Wherever a match may begin, it takes a bounded number of steps: microseconds, whatever the text."""
    assert _slow(_PATTERNS[name]) == []


@pytest.mark.parametrize("pattern", [r"[0-9]{0,64}[0-9]{0,64}[xy]", r"\w{1,64}@?\w{1,64};", r"(?:a{1,9},?){1,3}!"])
def test_a_pattern_that_goes_back_far_is_told(pattern: str) -> None:
    """The texts above show it in patterns that try many ways to cut a text."""
    assert _slow(pattern) != []


def _slow(pattern: str) -> list[str]:
    """The beginning of a text, if there is one, over which a pattern takes too long, the best of three times."""
    search = re.compile(pattern)
    most = _MOST * _yardstick()
    return [text[:80] for text in _attacks(pattern) if all(_seconds(search, text) >= most for _ in range(3))][:1]


@cache
def _yardstick() -> float:
    """What a short way back costs this machine at every place of a text: CPU seconds."""
    search = re.compile("[a-z]{1,40}[0-9]")
    return min(_seconds(search, "a" * _SIZE) for _ in range(5))


def _seconds(search: re.Pattern[str], text: str) -> float:
    """CPU seconds that all matches in a text take."""
    started = process_time()
    for _ in search.finditer(text):
        pass
    return process_time() - started


def test_shipped_patterns_are_known_by_heart() -> None:
    """Only what the package ships runs on `re`: one character more, and RE2 has it."""
    for pattern in _PATTERNS.values():
        assert policy.is_shipped(pattern)
        assert not policy.is_shipped(f"{pattern}x")
    assert any(linear.problem(pattern) for pattern in _PATTERNS.values())
