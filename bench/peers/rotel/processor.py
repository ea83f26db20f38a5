"""Runs inside Rotel's agent: replaces what the patterns match in every string attribute of spans and their events."""

import json
import os
import re
from typing import Any

PATTERNS = [re.compile(pattern) for pattern in json.loads(os.environ["BENCH_PATTERNS"])]


def clean(attributes: Any) -> None:  # noqa: ANN401 - Rotel's classes exist in its agent only
    """Replace what matches, in place."""
    for attribute in attributes:
        held = attribute.value
        if held is None:
            continue
        text = held.value
        if isinstance(text, str):
            new = text
            for pattern in PATTERNS:
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
