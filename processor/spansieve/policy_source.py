"""Where redaction policies and their keys come from: the package, files, the environment."""

import os
from collections.abc import Mapping
from pathlib import Path

from spansieve.redact import CompiledRules, PolicyError, policy
from spansieve.redact.policy import Material, Policy


def file_of(name: str) -> Path | None:
    """The file that a policy's name means; None for the name of a shipped policy."""
    return Path(name) if "/" in name or name.endswith((".yaml", ".yml")) else None


def read(name: str) -> Policy:
    """Read a policy by the name of a shipped one or the path of a file. Raises PolicyError."""
    file = file_of(name)
    return policy.parse(policy.shipped(name) if file is None else _bytes(file, name).decode("utf-8", "replace"))


def load(name: str, environ: Mapping[str, str], key_file: Path | None = None) -> CompiledRules:
    """Read and compile a policy with the keys that it names; `key_file` takes the place of the pseudonyms' one.

    Each call makes a new key pair for encryption. Raises PolicyError with every mistake.
    """
    chosen = read(name)
    return policy.compile(chosen, material(chosen, environ, key_file))


def material(chosen: Policy, environ: Mapping[str, str], key_file: Path | None = None) -> Material:
    """Fetch what a policy's actions need. Raises PolicyError when it is not where the policy says."""
    source = chosen.pseudonym
    key: str | bytes | None = None
    if source is not None and any(rule.action == "pseudonym" for rule in chosen.rules):
        if key_file is not None:
            key = _bytes(key_file, "redaction.key_file")
        elif source.key_env is not None:
            key = environ.get(source.key_env)
            if key is None:
                raise PolicyError([f"pseudonym.key_env: the environment variable {source.key_env} is not set."])
        elif source.key_file is not None:
            key = _bytes(Path(source.key_file), "pseudonym.key_file")
    if isinstance(key, str):
        key = key.encode("utf-8", "surrogateescape")
    return Material(None if key is None else key.strip(), os.urandom(32))


def _bytes(file: Path, name: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        of = "" if Path(name) == file else f"{name}: "
        raise PolicyError([f"{of}{file} cannot be read: {error.strerror}."]) from None
