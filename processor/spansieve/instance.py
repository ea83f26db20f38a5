"""Which gateway this is: an id that tells its series from those of all others that push to the same Collector.

Source: OpenTelemetry resource conventions, `service.instance.id`, and its stable form for an instance with a store.
"""

import os
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from spansieve import __version__

_FILE = "instance-id"
_LONGEST = 64  # bytes; a UUID has 36


def resource(directory: Path) -> Mapping[str, str]:
    """Return the attributes of the resource whose metrics a gateway pushes; `directory` is its own."""
    return {
        "service.name": "spansieve",
        "service.version": __version__,
        "service.instance.id": identity(directory),
    }


def identity(directory: Path) -> str:
    """Return the id that a gateway's own directory holds, made now when it holds none, or nothing that is one.

    It is the same over restarts, as what was counted is: the series of a gateway go on. Where it cannot be kept, each
    start has another, as of a gateway that begins anew.
    """
    file = directory / _FILE
    with suppress(OSError, ValueError), file.open("rb") as opened:
        return str(uuid.UUID(opened.read(_LONGEST).decode("ascii").strip()))
    made = str(uuid.uuid4())
    with suppress(OSError):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = file.with_suffix(".new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as opened:
            opened.write(made + "\n")
            opened.flush()
            os.fsync(descriptor)
        beside.replace(file)  # whole or not at all: half an id would be another one at every start
    return made
