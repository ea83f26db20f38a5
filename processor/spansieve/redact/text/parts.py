"""Texts that come in parts, over which a value may be split: parts of text, chunks of a stream, elements of a list.

Of a long part only its ends are read with its neighbours, since a value that is split is at an end.
"""

import re
from collections.abc import Sequence
from typing import Final

from spansieve.redact.text import jsontext

KEYS: Final = frozenset(
    {
        "text", "content", "delta", "chunk", "chunks", "part", "parts", "message", "body", "data", "token", "tokens",
        "output", "input", "completion", "prompt", "arguments", "value", "values", "string", "response", "reasoning",
        "thinking",
    }
)  # fmt: skip
"""Last words of the keys under which text comes in parts."""

_FLATTENED = re.compile(r"(.*\.(?:contents?|parts|chunks)\.)\d{1,6}(\.[\w.]{1,64})", re.DOTALL)

END: Final = 128
"""Characters of a long part that are read with its neighbour's."""


def carries_parts(key: str) -> bool:
    """Whether what stands under a key may be continued by what stands under the same key next."""
    return key in KEYS or key.rpartition(".")[2].rpartition("_")[2].lower() in KEYS


def flattened(key: str) -> str:
    """Give what the keys of all parts of a message have in common, where each is an attribute; nothing for others.

    `llm.input_messages.0.message.contents.1.message_content.text` is a key of the second part.
    """
    match = _FLATTENED.fullmatch(key)
    return f"{match[1]}*{match[2]}" if match is not None and carries_parts(key) else ""


def of_tokens(tokens: Sequence[jsontext.Token]) -> list[list[int]]:
    """Group the strings of a JSON text that stand under the same key, by index, in order."""
    by_key: dict[str, list[int]] = {}
    for index, token in enumerate(tokens):
        if token.kind == jsontext.STRING:
            by_key.setdefault(token.key, []).append(index)
    return [group for key, group in by_key.items() if len(group) > 1 and carries_parts(key)]


def listed(text: str, tokens: Sequence[jsontext.Token]) -> set[int]:
    """The tokens of a text that are neighbours in a list, by index: one may continue the other."""
    found: set[int] = set()
    for index in range(1, len(tokens)):
        gap = text[tokens[index - 1].end : tokens[index].start]
        if "," in gap and gap.strip() == ",":
            found |= {index - 1, index}
    return found


def closes(text: str) -> bool:
    """Whether a text is so long that nothing reaches from what is before it to what is behind."""
    return len(text) > 2 * END


def at_the_ends(texts: Sequence[Sequence[str]]) -> list[str]:
    """Of the texts of one key in each of several pieces: those that a value may be split over where pieces meet.

    Of the first piece its last texts, of the last one its first, and all of those between, which are short.
    """
    first: list[str] = []
    for text in reversed(texts[0]):
        if closes(text):
            first.append(text[-END:])
            break
        first.append(text)
    found = first[::-1]
    for each in texts[1:-1]:
        found += each
    for text in texts[-1]:
        if closes(text):
            found.append(text[:END])
            break
        found.append(text)
    return found
