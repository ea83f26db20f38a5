"""Whether a text has to be read otherwise, told without anchors: the engine's own gate is measured against it."""

import re

from spansieve.redact.text import fold, media, tokens

_GATES = [
    re.compile(pattern)
    for pattern in (
        r"%[0-9A-Fa-f]{2}",
        r"&(?:#[0-9xX]|[A-Za-z]{2,31}[0-9]{0,2};)",
        r"\\[uUx][0-9A-Fa-f{]",
        r"\n(?:(?<=[0-9]\n)|(?<=[0-9][-. )/\r]\n))[ \t>]{0,4}+[-.( /]?[0-9]",
        r"\+(?<=[0-9]\+)[0-9]",
        r"\{'[A-Za-z_]",  # a Python dict, which is walked as JSON is
        r"\[(?:[0-9;]{1,12}m|(?<=\x1b\[)[0-?]{0,12}[A-Za-z])",
    )
]


def is_suspect(text: str) -> bool:
    """Whether a text may have another reading in which a value could stand."""
    return (
        any(gate.search(text) for gate in _GATES)
        or bool(fold.latin(text)[1])
        or any(
            media.at(text, start) or any(True for _ in tokens.decoded(text, start))
            for start, _ in tokens.runs(text.encode("latin-1", "replace"))
        )
    )
