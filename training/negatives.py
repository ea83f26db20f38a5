"""Text without names: the standard library's code and help, and messages made from it."""

import hashlib
import json
import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from random import Random

from training import writing
from training.model_text import Text

_SKIPPED = (
    "test",
    "idlelib",
    "lib2to3",
    "turtledemo",
    "site-packages",
    "encodings",
    "this.py",
    "pydoc_data",
    "ensurepip",
)


def modules(*, held_out: bool) -> list[Path]:
    """Files of the standard library: a fifth, chosen by the hash of its name, is held out for measuring."""
    found = []
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if any(part in name for part in _SKIPPED):
            continue
        if (hashlib.sha256(name.encode()).digest()[0] % 5 == 0) is held_out:
            found.append(path)
    return found


_NAMED_LINE = re.compile(
    r"(?i:author|written|contribut|copyright|thanks|maintain|credit|suggested|@)"
    r"|\bby [A-Z]|\b[A-Z][a-z]+ [A-Z]\.? ?[A-Z]?[a-z]+\b"
)


def windows(paths: list[Path], random: Random, count: int) -> Iterator[Text]:
    """Pieces of some lines, without the lines that may name somebody."""
    lines_of: dict[Path, list[str]] = {}
    for _ in range(count):
        path = random.choice(paths)
        if path not in lines_of:
            text = path.read_text(encoding="utf-8", errors="replace")
            lines_of[path] = [line for line in text.split("\n") if not _NAMED_LINE.search(line)]
        lines = lines_of[path]
        size = random.randint(2, 20)
        at = random.randrange(max(1, len(lines) - size))
        text = "\n".join(lines[at : at + size])
        roll = random.random()
        if roll < 0.1:
            text = " ".join(text.split())
        elif roll < 0.15:
            text = text.replace("\n", "\\n").replace('"', '\\"')
        yield Text(text)


_LEVELS: list[str] = writing.words()["level"]
_KEYS: list[str] = writing.words()["json_key"]


def machine(random: Random, count: int, *, held_out: bool) -> Iterator[Text]:
    """What machines write: log lines, tool output in JSON, tracebacks, with identifiers of the standard library."""
    words = _identifiers(held_out=held_out)
    for _ in range(count):
        make = random.choice((_log, _json, _traceback))
        yield Text(make(random, words))


def _identifiers(*, held_out: bool) -> list[str]:
    found: set[str] = set()
    for path in modules(held_out=held_out):
        found.update(re.findall(r"\b(?:def|class) (\w{3,30})", path.read_text(encoding="utf-8", errors="replace")))
    return sorted(found)


def _log(random: Random, words: list[str]) -> str:
    def line() -> str:
        word = random.choice
        at = random.randrange(24), random.randrange(60)
        stamp = f"2026-{random.randint(1, 12):02}-{random.randint(1, 28):02}T{at[0]:02}:{at[1]:02}:07"
        message = random.choice((
            f"{word(words)} took {random.randint(1, 9000)} ms",
            f"{word(words)}.{word(words)}: {word(words)} not found",
            f"retrying {word(words)} ({random.randint(1, 9)}/10) {word(_KEYS)}={random.randint(1, 10**6)}",
            f"connection to {word(words).lower()}-{random.randint(1, 99)}:{random.randint(80, 65000)} refused",
            f"GET /{word(words).lower()}/{random.randint(1, 9999)} {random.choice((200, 201, 404, 500))}",
            f"{word(_KEYS)}={word(words)} {word(_KEYS)}={word(words)} {word(_KEYS)}={random.random():.3f}",
            f"Loaded {random.randint(1, 999)} {word(words)} from {word(words)}",
        ))  # fmt: skip
        return f"{stamp} {random.choice(_LEVELS)} [{word(words)}] {message}"

    return "\n".join(line() for _ in range(random.randint(1, 8)))


def _json(random: Random, words: list[str]) -> str:
    def value(depth: int) -> object:
        roll = random.random()
        if depth and roll < 0.25:
            return {
                random.choice((*_KEYS, random.choice(words))): value(depth - 1) for _ in range(random.randint(1, 6))
            }
        if depth and roll < 0.35:
            return [value(depth - 1) for _ in range(random.randint(0, 4))]
        if roll < 0.6:
            return random.choice((random.randint(0, 10**6), round(random.random(), 3), True, False, None))
        return random.choice(
            (random.choice(words), f"{random.choice(words)} {random.choice(words)}", random.choice(_KEYS))
        )

    tree = {random.choice(_KEYS): value(2) for _ in range(random.randint(2, 8))}
    return json.dumps(tree, indent=random.choice((None, None, 2)))


def _traceback(random: Random, words: list[str]) -> str:
    def word() -> str:
        return random.choice(words)

    frames = "".join(
        f'  File "/app/{word().lower()}/{word().lower()}.py", line {random.randint(1, 900)}, in {word()}\n'
        f"    {word()}.{word()}({word()})\n"
        for _ in range(random.randint(1, 6))
    )
    return f"Traceback (most recent call last):\n{frames}{word()}: {word()} {word()}"
