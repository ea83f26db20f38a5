"""What the sections of the configuration are made of: durations, endpoints, keys with their meaning."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from spansieve.mistakes import Written

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|h|m|s))+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_ENDPOINT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:/\s\[\]]*):(?P<port>\d{1,5})")


def _parse_duration(value: object) -> object:
    if isinstance(value, str):
        if not _DURATION.fullmatch(value):
            raise ValueError("is not a duration: a number with a unit of ms, s, m or h")
        return sum(float(n) * _SECONDS[unit] for n, unit in _DURATION_PART.findall(value))
    if isinstance(value, (int, float)) and value != 0:
        raise ValueError("needs a unit of ms, s, m or h")
    return value


def _check_endpoint(value: str) -> str:
    if "$" in value:
        raise ValueError("holds a `$`: a variable is written ${env:NAME}")
    matched = _ENDPOINT.fullmatch(value)
    if not matched or int(matched["port"]) > 65535:
        raise ValueError("is not host:port with a port from 0 to 65535")
    return value


def _check_target(value: str) -> str:
    if "@" in value:
        raise ValueError("holds a user or a password: a peer's credentials are headers, such as authorization")
    bare = value.removeprefix("http://").removeprefix("https://")
    if bare != value:
        raise ValueError(
            "names a scheme: this exporter speaks gRPC to host:port, and tls.insecure says whether in the clear"
        )
    return _check_endpoint(value)


def _not_empty(value: object) -> object:
    if value == "":  # a variable that is set to nothing would be the directory that the gateway was started in
        raise ValueError("names no directory")
    return value


def _check_directory(value: Path) -> Path:
    if "\0" in str(value):
        raise ValueError("holds a character that no path may")
    if value.parts[:1] and value.parts[0].startswith("~"):
        raise ValueError("begins with ~, which only a shell knows: write the directory in full, or ${env:HOME}")
    return value


DURATION_RULE = BeforeValidator(_parse_duration)
Duration = Annotated[float, DURATION_RULE]
"""Seconds, written as the Collector writes them: 500ms, 30s, 1m30s."""

ListenEndpoint = Annotated[str, AfterValidator(_check_endpoint)]
DialEndpoint = Annotated[str, AfterValidator(_check_target)]
Directory = Annotated[Path, BeforeValidator(_not_empty), AfterValidator(_check_directory)]


def null_is_default(value: object) -> object:
    """`grpc:` with nothing after it names the section and leaves its keys at their defaults."""
    return {k: {} if v is None else v for k, v in value.items()} if isinstance(value, dict) else value


class Section(Written):
    """A mapping of the configuration."""

    instead: ClassVar[Mapping[str, str]] = {}
    """Keys of the Collector that are not there → what to do, for the sentence that refuses them."""


def setting(default: Any, text: str, example: Any, **limits: Any) -> Any:  # noqa: ANN401 - a field of any type
    """A key with its default, its meaning and an example."""
    return Field(default, description=text, examples=[example], **limits)
