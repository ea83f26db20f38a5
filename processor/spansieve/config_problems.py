"""Mistakes in a configuration as sentences: the key, the value, what is wrong, a valid example.

pydantic finds the mistakes; its own wording is for programmers.
"""

from collections.abc import Collection, Mapping
from typing import Any, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from spansieve.config_types import DURATION_RULE, Section
from spansieve.mistakes import did_you_mean, kind, needed

_Location = tuple[int | str, ...]

# Values under these keys may be credentials: a sentence names the key alone.
_SECRET_KEYS = frozenset({"headers"})


def sentences(error: ValidationError, root: type[BaseModel], unread: Collection[str] = ()) -> list[str]:
    """Every mistake that pydantic found in a configuration of type `root`, a sentence each.

    Nothing is said of values that are `unread`: what is wrong with them is told already.
    """
    found = error.errors(include_url=False)
    return [_sentence(each, root) for each in found if not _follows(each, found) and not _is_one_of(each, unread)]


def _is_one_of(details: ErrorDetails, unread: Collection[str]) -> bool:
    value = details["input"]
    return isinstance(value, str) and value in unread


def _follows(details: ErrorDetails, found: list[ErrorDetails]) -> bool:
    """Whether a mistake is only the shadow of one inside: a list «too short» because its item was refused."""
    loc = details["loc"]
    return details["type"] == "too_short" and any(
        len(other["loc"]) > len(loc) and other["loc"][: len(loc)] == loc for other in found
    )


def _sentence(details: ErrorDetails, root: type[BaseModel]) -> str:
    loc = details["loc"]
    path = _path(loc, root)
    is_value, example = _key_at(loc, root)
    shown = "the value" if _may_be_secret(loc, details["input"]) else _shown(details["input"])
    last = next((part for part in reversed(loc) if isinstance(part, str)), "")
    hint = f" Example: {last}: {_yaml(example)}" if example is not None else ""
    match details["type"]:
        case "extra_forbidden":
            remedy = _instead(loc, root) or _known_keys(loc[:-1], root, loc[-1])
            return f"{path} is not a key that the gateway knows.{remedy}"
        case "missing":
            return f"{path} is missing.{hint}"
        case "value_error":
            why = details["ctx"]["error"]
            return f"{path}: {shown} {why}.{hint}" if is_value else f"{path} {why}."
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"{path}: {shown} is not accepted: keys and values are needed here.{_known_keys(loc, root)}"
        case "too_short":
            return f"{path} is empty: at least one is needed."
        case "union_tag_invalid" | "union_tag_not_found":
            tags = _tags_at(loc, root)
            given = details["input"].get("type") if isinstance(details["input"], Mapping) else None
            wrong = "" if given is None else f"{_shown(given)} is not accepted: "
            hint = _instead((*loc, str(given)), root) or f" Example: type: {tags[0]}"
            return f"{path}.type: {wrong}one of {', '.join(tags)} is needed.{hint}"
        case _:
            unit = ""
            if _is_duration(loc, root) and isinstance(seconds := details["input"], float):
                shown, unit = f"{seconds:.15g}s", "s"
            return f"{path}: {shown} is not accepted: {needed(details, unit)}.{hint}"


def _may_be_secret(loc: _Location, value: object) -> bool:
    """Whether a value may hold credentials: that of a header, or an address of the form user:password@host."""
    return bool(_SECRET_KEYS.intersection(loc)) or (isinstance(value, str) and "@" in value)


def _shown(value: object) -> str:
    if value is None:
        return "null"
    return repr(value) if isinstance(value, str | int | float | bool) else kind(value)


def _path(loc: _Location, root: type[BaseModel]) -> str:
    path = ""
    for depth, part in enumerate(loc):
        if isinstance(part, int):
            path += f"[{part}]"
        elif not (depth and isinstance(loc[depth - 1], int) and part in _tags_at(loc[:depth], root)):
            # pydantic puts the tag of a discriminated union into the path after the list's index.
            path += f".{part}" if path else part
    return path or "The file"


def _sections(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - any type expression
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [s for inner in getattr(annotation, "__args__", ()) for s in _sections(inner)]


def _alternatives(loc: _Location, root: type[BaseModel]) -> list[type[BaseModel]]:
    """The sections that may stand at a place; several where a `type` key chooses."""
    here = [root]
    for depth, part in enumerate(loc):
        if isinstance(part, int):
            continue
        tagged = [s for s in here if part in _tag(s)]
        if tagged and depth and isinstance(loc[depth - 1], int):
            here = tagged
            continue
        fields = [s.model_fields[part] for s in here if part in s.model_fields]
        here = [s for known in fields[:1] for s in _sections(known.annotation)]
    return here


def _tag(section: type[BaseModel]) -> tuple[str, ...]:
    known = section.model_fields.get("type")
    return getattr(known.annotation, "__args__", ()) if known else ()


def _tags_at(loc: _Location, root: type[BaseModel]) -> list[str]:
    return [tag for section in _alternatives(loc, root) for tag in _tag(section)]


def _is_duration(loc: _Location, root: type[BaseModel]) -> bool:
    """Whether a place holds seconds, which are written with a unit."""
    fields = [section.model_fields.get(str(loc[-1])) for section in _alternatives(loc[:-1], root)] if loc else []
    return any(DURATION_RULE in field.metadata for field in fields if field)


def _key_at(loc: _Location, root: type[BaseModel]) -> tuple[bool, Any]:
    """Whether a place holds a plain value, and an example of what may stand there."""
    names = [depth for depth, part in enumerate(loc) if isinstance(part, str)]
    if not names:
        return False, None
    name = loc[names[-1]]
    for parent in _alternatives(loc[: names[-1]], root):
        known = parent.model_fields.get(str(name))
        if known is None:
            continue
        sections = _sections(known.annotation)
        if not sections:
            return True, known.examples[0] if known.examples else None
        required = {n: f.examples[0] for n, f in sections[0].model_fields.items() if f.is_required() and f.examples}
        if get_origin(known.annotation) is tuple and loc[-1] == name:
            return True, [required] if required else None
        return False, required or None
    return False, None


def _instead(loc: _Location, root: type[BaseModel]) -> str:
    """What to do about a key, or a type, that the Collector has and we do not; empty for any other."""
    key = str(loc[-1])
    sections = [section for section in _alternatives(loc[:-1], root) if issubclass(section, Section)]
    return next((f" {section.instead[key]}" for section in sections if key in section.instead), "")


def _known_keys(loc: _Location, root: type[BaseModel], wrong: int | str = "") -> str:
    """The keys that may stand at a place; first the one that is most like a wrong one."""
    known = list(dict.fromkeys(name for section in _alternatives(loc, root) for name in section.model_fields))
    return f"{did_you_mean(wrong, known)} Known here: {', '.join(known)}." if known else ""


def _yaml(value: object) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("\n").removesuffix("\n...")
