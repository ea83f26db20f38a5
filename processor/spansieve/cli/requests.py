"""Files and streams that hold OTLP requests, for commands that read some."""

from collections.abc import Iterator
from pathlib import Path

import orjson

from spansieve import decode, otlp_json
from spansieve.model import DecodedBatch, Encoding, ReceivedRequest, Signal


def read(file: Path) -> Iterator[DecodedBatch]:
    """The requests in a file: `….json` holds one, or one a line; the name of one of protobuf tells its signal.

    That name ends in `.traces.pb`, `.logs.pb` or `.metrics.pb`; other `.pb` are traces. Raises MalformedRequest.
    """
    body = file.read_bytes()
    if file.suffix == ".pb":
        named = file.stem.rpartition(".")[2]
        signal = Signal(named) if named in {each.value for each in Signal} else Signal.TRACES
        yield decode.message(ReceivedRequest(signal, Encoding.PROTO, body)).batch
        return
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        bodies = [line for line in body.splitlines() if line.strip()]
    else:
        bodies = [body]
    for each in bodies:
        yield decode.message(ReceivedRequest(otlp_json.signal_of(each), Encoding.JSON, each)).batch
