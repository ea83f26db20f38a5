"""Looking for a planted value in bytes, in the disguises that telemetry puts on: JSON escapes, URLs, base64."""

import base64
import json
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

_SHORTEST_BASE64 = 8  # fewer characters would be found by chance


def forms(value: str) -> frozenset[bytes]:
    """How a value may look: raw, JSON inside JSON, URL-encoded, and base64 at each of the three byte alignments."""
    raw = value.encode()
    escaped = json.dumps(value)[1:-1]
    found = {
        raw,
        value.encode("utf-16-le"),
        escaped.encode(),
        json.dumps(escaped)[1:-1].encode(),
        escaped.replace("/", "\\/").encode(),
        quote(value, safe="").encode(),
        quote(value).encode(),
        quote_plus(value).encode(),
    }
    for skipped in range(3):
        # Characters that also hold bits of the neighbours are cut off: three bytes make four characters.
        encoded = base64.b64encode(bytes(skipped) + raw)
        inner = encoded[(skipped * 8 + 5) // 6 : (skipped + len(raw)) * 8 // 6]
        if len(inner) >= _SHORTEST_BASE64:
            found.add(inner)
            found.add(inner.translate(bytes.maketrans(b"+/", b"-_")))
    return frozenset(found)


def found(values: Iterable[str], data: bytes) -> list[str]:
    """Those of `values` that stand in `data` in any form."""
    return [value for value in values if any(form in data for form in forms(value))]
