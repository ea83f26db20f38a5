"""Presidio from PyPI as a plain processor: `analyze()` on each string attribute of a sample, no gateway around it.

Its recognisers for English that are on by default, with the NLP engine that does nothing (no names), as a processor
in a pipeline would use it; findings of score 0.3 and more are replaced.
"""

import json
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.cell import Cell
from bench.peers import Unavailable
from bench.peers.environments import python_of
from bench.recall import Recall, of_counts
from bench.traffic import load

NAME = "presidio"
LEAVES_OUT = (
    "receiving, parsing, sampling, metrics, sending; resources, status, names; secrets and API keys; names of persons"
)
_FOLDER = Path(__file__).parent
_MOST_SPANS = 1000


@dataclass(frozen=True, slots=True)
class Sample:
    """String attributes of some spans: ids, texts for each, and the bytes that their requests have for them."""

    ids: list[bytes]
    texts: list[list[str]]
    sizes: list[int]


def version() -> str:
    """Of the package. Installs it when it is not there."""
    done = subprocess.run(  # noqa: S603 - a command of ours
        [
            python_of(_FOLDER / "requirements.txt"),
            "-c",
            "import importlib.metadata as m; print(m.version('presidio-analyzer'))",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


def measure(kind: str, seconds: float) -> tuple[Cell, Recall]:
    """Analyse spans of a recording until so much CPU time is spent."""
    sample = _sample(kind)
    done = subprocess.run(  # noqa: S603 - a command of ours
        [python_of(_FOLDER / "requirements.txt"), _FOLDER / "analyse.py", str(seconds)],
        input=json.dumps(sample.texts),
        capture_output=True,
        text=True,
        timeout=120 + seconds * 10,
        check=False,
    )
    if done.returncode:
        raise Unavailable((done.stderr.strip().splitlines() or ["no reason given"])[-1])
    answer: dict[str, Any] = json.loads(done.stdout)
    spans = len(answer["texts"])
    size = sum(sample.sizes[:spans])
    cell = Cell(NAME, kind, spans, size, 0, answer["cpu_s"], answer["cpu_s"], 0, 0)
    return cell, _recall(kind, sample, answer["texts"])


def _sample(kind: str) -> Sample:
    sample = Sample([], [], [])
    recording = load(kind)
    for index in range(len(recording.pieces)):
        request = ExportTraceServiceRequest.FromString(recording.body(index, 1))
        for resource_spans in request.resource_spans:
            for scope_spans in resource_spans.scope_spans:
                for span in scope_spans.spans:
                    texts = [a.value.string_value for a in span.attributes if a.value.HasField("string_value")]
                    texts += [a.value.string_value for event in span.events for a in event.attributes]
                    sample.ids.append(span.span_id)
                    sample.texts.append(texts)
                    sample.sizes.append(span.ByteSize())
        if len(sample.ids) >= _MOST_SPANS:
            break
    return sample


def _recall(kind: str, sample: Sample, cleaned: list[list[str]]) -> Recall:
    values = load(kind).values
    there: Counter[str] = Counter()
    of: Counter[str] = Counter()
    for span_id, before, after in zip(sample.ids, sample.texts, cleaned, strict=False):
        source, result = "\0".join(before), "\0".join(after)
        for value in values.get(span_id, []):
            if any(needle in source for needle in value.needles):  # not those that stand elsewhere in the span
                name = f"{'personal' if value.personal else 'benign'} {value.kind}"
                of[name] += 1
                there[name] += any(needle in result for needle in value.needles)
    return of_counts(dict(there), dict(of))
