"""What a peer is shown, and what we trust: read from files that others renew while we run."""

from dataclasses import dataclass, field
from pathlib import Path

import grpc

from spansieve.config import ConfigError
from spansieve.config_exporters import OtlpExporter

_PEM_MARK = b"-----BEGIN "


@dataclass(frozen=True, slots=True)
class Access:
    """The contents of the files that `exporters.otlp` names, and the metadata of each call. Never shown: secrets."""

    ca: bytes | None = field(default=None, repr=False)
    cert: bytes | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)
    metadata: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def credentials(self) -> grpc.ChannelCredentials:
        """Those of a channel with TLS. Without `ca` the authorities that gRPC brings along are trusted."""
        return grpc.ssl_channel_credentials(self.ca, self.key, self.cert)


def read(config: OtlpExporter) -> Access:
    """Read what a configuration names. Raises ConfigError with every problem found."""
    problems: list[str] = []
    tls = config.tls
    ca, cert, key = (
        _pem(f"exporters.otlp.tls.{name}", path, problems)
        for name, path in (("ca_file", tls.ca_file), ("cert_file", tls.cert_file), ("key_file", tls.key_file))
    )
    metadata = [(name.lower(), value) for name, value in config.headers.items()]
    if config.bearer_token_file is not None:
        metadata.append(("authorization", f"Bearer {_token(config.bearer_token_file, problems)}"))
    if problems:
        raise ConfigError(problems)
    return Access(ca, cert, key, tuple(metadata))


def _pem(name: str, path: Path | None, problems: list[str]) -> bytes | None:
    if path is None:
        return None
    pem = _content(name, path, problems)
    if pem is not None and _PEM_MARK not in pem:
        problems.append(f"{name}: {path} is not a PEM file.")
    return pem


def _token(path: Path, problems: list[str]) -> str:
    name = "exporters.otlp.bearer_token_file"
    content = _content(name, path, problems)
    token = (content or b"").strip().decode("latin-1")
    if content is not None and not (token and token.isascii() and token.isprintable() and " " not in token):
        problems.append(f"{name}: {path} does not hold a token: one word of printable ASCII.")
    return token


def _content(name: str, path: Path, problems: list[str]) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError as error:
        problems.append(f"{name}: {path} cannot be read: {error.strerror}.")
        return None
