"""When the configuration is read again, and what of a change waits for a restart."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeAlias

from spansieve import policy_source
from spansieve.config import GatewayConfig

_LOOK_SECONDS: Final = 2.0
"""How soon a change of a file is noticed."""

_RELOADABLE: Final = frozenset({"redaction", "sampling"})
"""The sections that a reload takes over, but for sampling.decision_cache; and measure.prices of another."""

_OF_THE_PEER: Final = ("endpoint", "tls", "headers", "bearer_token_file", "compression", "timeout")
"""Of exporters.otlp that, too."""

_Stamp: TypeAlias = tuple[int, int, int] | None


class Source:
    """Where the configuration comes from, and the files that it brings in: policy, prices, certificates, tokens.

    A file is noted right before it is read: what changes while it is read is noticed, and what was read, for whatever
    reason, is not noticed once more. The files of a configuration that could not be used are followed too, so that
    mending them is enough. Its methods belong to the event loop's thread.
    """

    def __init__(self, load: Callable[[], GatewayConfig], file: Path | None) -> None:
        """`load` reads the configuration, from `file` when there is one. It is called in a thread."""
        self._load = load
        self._file = file
        self._noted: dict[Path, _Stamp] = {}

    async def read(self) -> GatewayConfig:
        """Read the configuration as it is now. Raises ConfigError; its file alone is followed then."""
        self._noted = {}
        self._note(self._file)
        settings = await asyncio.to_thread(self._load)
        self._note(policy_source.file_of(settings.redaction.policy))
        self._note(settings.measure.prices)
        if (otlp := settings.exporters.otlp) is not None:
            for file in (otlp.tls.ca_file, otlp.tls.cert_file, otlp.tls.key_file, otlp.bearer_token_file):
                self._note(file)
        return settings

    async def follow(self, changed: Callable[[], Awaitable[None]]) -> None:
        """Tell of each change of a file, until cancelled. Whoever is told reads again; else it is told again."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if self.has_changed():
                await changed()

    def has_changed(self) -> bool:
        """Whether a file is not what it was right before it was read."""
        return any(_stamp(file) != noted for file, noted in self._noted.items())

    def _note(self, file: Path | None) -> None:
        if file is not None:
            self._noted[file] = _stamp(file)


def _stamp(file: Path) -> _Stamp:
    """What tells one version of a file from the next, also where it is a link, as a ConfigMap's; None for no file."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def needs_restart(running: GatewayConfig, wanted: GatewayConfig) -> list[str]:
    """The keys whose change a reload could not take over."""
    measure = running.measure.model_copy(update={"prices": wanted.measure.prices})
    exporters = running.exporters
    if exporters.otlp is not None and (peer := wanted.exporters.otlp) is not None:
        taken_over = {key: getattr(peer, key) for key in _OF_THE_PEER}
        exporters = exporters.model_copy(update={"otlp": exporters.otlp.model_copy(update=taken_over)})
    running = running.model_copy(update={"measure": measure, "exporters": exporters})
    changed = [
        key
        for key in GatewayConfig.model_fields
        if key not in _RELOADABLE and getattr(wanted, key) != getattr(running, key)
    ]
    if wanted.sampling.decision_cache != running.sampling.decision_cache:
        changed.append("sampling.decision_cache")
    return sorted(changed)
