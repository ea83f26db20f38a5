"""Runs inside Rotel's agent: replaces what the patterns match in every string attribute of spans and their events.

Patterns are those of the file that BENCH_PATTERNS names: of values, and of keys whose whole value goes.
"""

import json
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

_PATTERNS: dict[str, list[str]] = json.loads(Path(os.environ["BENCH_PATTERNS"]).read_text(encoding="utf-8"))
VALUES = [re.compile(pattern) for pattern in _PATTERNS["values"]]
KEYS = [re.compile(pattern) for pattern in _PATTERNS["keys"]]


@lru_cache(10_000)
def is_blocked(key: str) -> bool:
    """Whether the whole value under a key goes. The same keys come in every span, so that asking once is enough."""
    return any(pattern.search(key) for pattern in KEYS)


def clean(attributes: Any) -> None:  # noqa: ANN401 - Rotel's classes exist in its agent only
    """Replace what matches, in place."""
    for attribute in attributes:
        held = attribute.value
        if held is None:
            continue
        text = held.value
        if is_blocked(attribute.key):
            held.string_value = "****"
        elif isinstance(text, str):
            new = text
            for pattern in VALUES:
                new = pattern.sub("****", new)
            if new != text:
                held.string_value = new


def process_spans(resource_spans: Any) -> None:  # noqa: ANN401 - see above
    """Called by Rotel for each ResourceSpans."""
    if resource_spans.resource is not None:
        clean(resource_spans.resource.attributes)
    for scope_spans in resource_spans.scope_spans:
        for span in scope_spans.spans:
            clean(span.attributes)
            for event in span.events:
                clean(event.attributes)
