"""Attribute values as they come: numbers as texts, truth values as texts, arrays as JSON.

Each reader takes the attributes found on a span and the places where a field may stand, and appends to `suspects` when
the value that counts cannot be right; it is then unknown.
"""

import json
import math
from collections.abc import Mapping
from itertools import islice
from typing import TypeAlias

from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from spansieve.measure.dialects import Options
from spansieve.measure.llm_call import Suspect

Found: TypeAlias = Mapping[str, AnyValue]

MAX_TOKENS = 10**9
"""Far above any context window; a larger count is an error, and one such value would drown all others in a sum."""
MAX_SECONDS = 86_400.0
"""A day. Batch jobs are not calls."""
MAX_USD = 1e6
MAX_TEXT = 256
"""Characters of a name that are looked at; real ones are shorter, and caches hold them."""
_MAX_REASONS = 8
_MAX_JSON = 1024
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


def text(found: Found, options: Options) -> str:
    """Return the first text that is not empty, cut to MAX_TEXT; "" when there is none."""
    for key, _ in options:
        value = found.get(key)
        if value is not None and (given := value.string_value):
            return given[:MAX_TEXT]
    return ""


def truth(found: Found, options: Options, suspects: list[Suspect]) -> bool | None:
    """Return the first truth value, also one written as a text or as 0 or 1."""
    for key, _ in options:
        value = found.get(key)
        if value is None:
            continue
        match value.WhichOneof("value"):
            case "bool_value":
                return value.bool_value
            case "string_value" if not value.string_value:
                continue
            case "string_value":
                given = _TRUTH.get(value.string_value[:MAX_TEXT].strip().lower())
            case "int_value":
                given = _TRUTH.get(str(value.int_value))
            case None:
                continue
            case _:
                given = None
        if given is None:
            suspects.append(Suspect.NOT_A_TRUTH_VALUE)
        return given
    return None


def tokens(found: Found, options: Options, suspects: list[Suspect]) -> int | None:
    """Return the first count of tokens: a whole number from 0 to MAX_TOKENS."""
    for key, _ in options:
        value = found.get(key)
        if value is None:
            continue
        if 0 < (count := value.int_value) <= MAX_TOKENS:
            return count  # nearly always: a field that is not set would read as 0
        kind = value.WhichOneof("value")
        if _is_empty(value, kind):
            continue
        number = _number(value, kind, MAX_TOKENS, suspects)
        if number is None:
            return None
        if number != int(number):
            suspects.append(Suspect.NOT_WHOLE)
            return None
        return int(number)
    return None


def amount(found: Found, options: Options, largest: float, suspects: list[Suspect]) -> tuple[float | None, str]:
    """Return the first number, in the gateway's unit and from 0 to `largest`, with the attribute that it stood in."""
    for key, factor in options:
        value = found.get(key)
        if value is None:
            continue
        kind = value.WhichOneof("value")
        if _is_empty(value, kind):
            continue
        number = _number(value, kind, largest / factor, suspects)
        return (None, "") if number is None else (number * factor, key)
    return None, ""


def texts(found: Found, options: Options) -> tuple[str, ...]:
    """Return the first list of texts: an array, a JSON array in a text, or one text alone."""
    for key, _ in options:
        value = found.get(key)
        if value is None:
            continue
        if one := value.string_value:
            given = _listed(one[:_MAX_JSON])
        else:
            given = [item.string_value for item in islice(value.array_value.values, _MAX_REASONS)]
        if given:
            return tuple([each[:MAX_TEXT] for each in given[:_MAX_REASONS] if each])
    return ()


def _listed(given: str) -> list[str]:
    if not given.startswith("["):
        return [given] if given else []
    try:
        items = json.loads(given)
    except (ValueError, RecursionError):
        # Cut off, or no JSON after all: it names no reason that anyone could use.
        return []
    return [item for item in items if isinstance(item, str)]


def _is_empty(value: AnyValue, kind: str | None) -> bool:
    return kind is None or (kind == "string_value" and not value.string_value)


def _number(value: AnyValue, kind: str | None, largest: float, suspects: list[Suspect]) -> float | None:
    number: float
    match kind:
        case "int_value":
            number = value.int_value
        case "double_value":
            number = value.double_value
        case "string_value":
            try:
                number = float(value.string_value[:MAX_TEXT])
            except ValueError:
                suspects.append(Suspect.NOT_A_NUMBER)
                return None
        case _:
            suspects.append(Suspect.NOT_A_NUMBER)
            return None
    if not math.isfinite(number):
        suspects.append(Suspect.NOT_FINITE)
    elif number < 0:
        suspects.append(Suspect.NEGATIVE)
    elif number > largest:
        suspects.append(Suspect.TOO_LARGE)
    else:
        return number
    return None
