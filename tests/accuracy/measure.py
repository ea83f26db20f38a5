"""Recall by type on a file of labelled texts in the form of presidio-research: `python -m accuracy.measure FILE`.

Each entry of the file is an object with `full_text` and `spans`, a span with `entity_type` and `entity_value`. A value
counts as found when it does not stand in the redacted text any more. The types without a structure of their own
(persons, places, organisations, dates, and web addresses, which telemetry keeps) are shown but not counted.
"""

import json
import sys
from collections import Counter
from pathlib import Path

from spansieve import redact
from spansieve.redact import policy

STRUCTURED = frozenset(
    {"CREDIT_CARD", "PHONE_NUMBER", "EMAIL_ADDRESS", "US_SSN", "IBAN_CODE", "IP_ADDRESS", "US_DRIVER_LICENSE"}
)


def main() -> None:
    """Measure, and print a table and what was missed of the structured types."""
    rules = policy.compile(policy.parse(policy.shipped("default")))
    of: Counter[str] = Counter()
    found: Counter[str] = Counter()
    missed: list[tuple[str, str]] = []
    for entry in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        text = redact.text(entry["full_text"], rules)[0]
        for span in entry["spans"]:
            kind, value = span["entity_type"], span["entity_value"]
            of[kind] += 1
            if value not in text:
                found[kind] += 1
            elif kind in STRUCTURED:
                missed.append((kind, value))
    for kind, count in of.most_common():
        sys.stdout.write(
            f"{kind:20}{count:6}{found[kind] / count:8.3f}{'' if kind in STRUCTURED else '  (not counted)'}\n"
        )
    structured = sum(of[kind] for kind in STRUCTURED)
    recall = sum(found[kind] for kind in STRUCTURED) / max(1, structured)
    sys.stdout.write(f"{'structured':20}{structured:6}{recall:8.3f}\n")
    for kind, value in missed:
        sys.stdout.write(f"missed {kind}: {value}\n")


if __name__ == "__main__":
    main()
