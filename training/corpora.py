"""CoNLL columns to texts: sentences put together as people write them, with the spans of persons and places."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from training.model_text import LOCATION, OTHER, PERSON, Text
from training.writing import Writer

_LABELS = {"PER": PERSON, "person": PERSON, "LOC": LOCATION, "location": LOCATION}
_NO_BLANK_BEFORE = re.compile(r"[,.;:!?)\]}%]+|['’](?:s|t|m|d|re|ve|ll|S)|n['’]t|\.\.\.")
_NO_BLANK_AFTER = frozenset({"(", "[", "{", "$", "£", "#", "@"})
_SWAPPED = 0.6

Sentence = list[tuple[str, int, bool]]
"""Words, each with its label and whether a span begins with it."""


def read(path: Path) -> list[Sentence]:
    """Read a file of columns: the word first, its label last, an empty line between sentences."""
    found = []
    for block in re.split(r"\n\s*\n", path.read_text(encoding="utf-8").strip()):
        sentence: Sentence = []
        before = ""
        for line in block.split("\n"):
            columns = line.split()
            if len(columns) < 2:
                continue
            name = columns[-1]
            label = 0 if name == "O" else _LABELS.get(name.partition("-")[2], OTHER)
            sentence.append((columns[0], label, label > 0 and (name[0] == "B" or name[2:] != before[2:])))
            before = name
        found.append(sentence)
    return found


def joined(sentence: Sentence, *, tight: bool) -> Text:
    """Put a sentence together: with blanks between all words, or `tight`, as one would write it."""
    text = ""
    spans: list[tuple[int, int, int]] = []
    glue = True
    quoted = False
    for word, label, begins in sentence:
        closes = word == '"' and quoted
        if text and not (tight and (glue or closes or _NO_BLANK_BEFORE.fullmatch(word))):
            text += " "
        start = len(text)
        text += word
        if label and not begins and spans and spans[-1][2] == label:
            spans[-1] = (spans[-1][0], len(text), label)
        elif label:
            spans.append((start, len(text), label))
        if word == '"':
            quoted = not quoted
        glue = word in _NO_BLANK_AFTER or (word == '"' and quoted)
    return Text(text, tuple(spans))


def swapped(sentence: Sentence, writer: Writer) -> Sentence:
    """Put other names in the place of those that a sentence holds; handles and hashtags stay."""
    new: Sentence = []
    at = 0
    while at < len(sentence):
        word, label, _ = sentence[at]
        end = at + 1
        if label in (PERSON, LOCATION):
            while end < len(sentence) and sentence[end][1] == label and not sentence[end][2]:
                end += 1
            plain = all(w.replace(".", "").replace("-", "").replace("'", "").isalpha() for w, _, _ in sentence[at:end])
            if plain:
                name = writer.name_of_size(end - at) if label == PERSON else writer.place()
                words = name.split()
                if word.islower():
                    words = [w.lower() for w in words]
                elif word.isupper() and len(word) > 3:
                    words = [w.upper() for w in words]
                new += [(w, label, i == 0) for i, w in enumerate(words)]
                at = end
                continue
        new += sentence[at:end]
        at = end
    return new


def texts(sentences: Sequence[Sentence], random: Random, writer: Writer) -> Iterator[Text]:
    """Give every sentence once: some with other names, some put together with their neighbours."""
    at = 0
    while at < len(sentences):
        count = random.choice((1, 1, 1, 1, 2, 3))
        parts = sentences[at : at + count]
        at += count
        tight = random.random() < 0.55
        made = [
            joined(swapped(part, writer) if random.random() < _SWAPPED else part, tight=tight) for part in parts if part
        ]
        yield concatenated(made, random.choice((" ", " ", "\n")))


def concatenated(parts: Sequence[Text], between: str) -> Text:
    """Put texts together."""
    text = ""
    spans: list[tuple[int, int, int]] = []
    for part in parts:
        if text:
            text += between
        spans += [(start + len(text), end + len(text), label) for start, end, label in part.spans]
        text += part.text
    return Text(text, tuple(spans))
