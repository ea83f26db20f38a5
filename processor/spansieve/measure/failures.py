"""Why a call failed, as one of the closed set of error classes; the evidence itself goes nowhere."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spansieve.measure.llm_call import ErrorClass
from spansieve.measure.values import Found

_ERROR = Status.STATUS_CODE_ERROR
_MAX_TEXT = 4096
"""Characters of evidence that are searched: a provider's message says what it is near its beginning."""


class Failures:
    """The classifier; its data, and the order in which evidence is asked, are described in `errors.yaml`."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        attributes = data["attributes"]
        self._http_keys: tuple[str, ...] = tuple(attributes["http_status"])
        self._grpc_keys: tuple[str, ...] = tuple(attributes["grpc_status"])
        self._type_keys: tuple[str, ...] = tuple(attributes["type"])
        self._text_keys: tuple[str, ...] = tuple(attributes["text"])
        self.keys: frozenset[str] = frozenset().union(*attributes.values())
        """Every attribute that tells of a failure."""
        self._http_in_text = [re.compile(pattern, re.IGNORECASE) for pattern in data["http_status_patterns"]]
        self._http, self._weak_http = _by_member(data["http_status"]), _by_member(data["weak_http_status"])
        self._grpc, self._weak_grpc = _by_member(data["grpc_status"]), _by_member(data["weak_grpc_status"])
        self._codes = _by_member({name: map(str.lower, some) for name, some in data["codes"].items()})
        # Longest first: internal_server_error holds server_error.
        codes = "|".join(map(re.escape, sorted(self._codes, key=len, reverse=True)))
        self._code = re.compile(rf"(?<![a-z0-9_])(?:{codes})(?![a-z0-9_])")
        self._class_names = _Parts(data["class_names"])
        self._weak_class_names = _Parts(data["weak_class_names"])
        self._phrases = _Parts(data["phrases"])
        self._finish_reasons = _by_member({name: map(str.lower, some) for name, some in data["finish_reasons"].items()})

    def classify(self, span: Span, found: Found, finish_reasons: tuple[str, ...]) -> ErrorClass | None:
        """Return why a call failed, None when it did not.

        It failed when the span's status is ERROR, when an error type is given, or when a finish reason says so.
        """
        types = [given for key in self._type_keys if key in found and (given := found[key].string_value)]
        if span.status.code == _ERROR or types:
            return self._decide(found, *self._evidence(span, found, types))
        for reason in finish_reasons:
            if (known := self._finish_reasons.get(reason.lower())) is not None:
                return known
        return None

    def _evidence(self, span: Span, found: Found, types: list[str]) -> tuple[str, str]:
        """Return the names of the exceptions' classes, unqualified, and the texts, both in lower case, a line each."""
        texts = [span.status.message]
        texts += [found[key].string_value for key in self._text_keys if key in found]
        for event in span.events:
            if event.name != "exception":
                continue
            for attribute in event.attributes:
                if attribute.key == "exception.type":
                    types.append(attribute.value.string_value)
                elif attribute.key == "exception.message":
                    texts.append(attribute.value.string_value)
        names = [each[:_MAX_TEXT].rpartition(".")[2] for each in types]
        return (
            "\n".join(names)[:_MAX_TEXT].lower(),
            "\n".join([each[:_MAX_TEXT] for each in texts])[:_MAX_TEXT].lower(),
        )

    def _decide(self, found: Found, names: str, text: str) -> ErrorClass:
        http, grpc = self._http_status(found, text), self._status(found, self._grpc_keys)
        code = self._code.search(f"{text}\n{names}")
        return (
            self._http.get(http)
            or self._grpc.get(grpc)
            or (self._codes[code[0]] if code else None)
            or self._class_names.find(names)
            or self._phrases.find(text)
            or self._weak_http.get(http)
            or self._weak_grpc.get(grpc)
            or self._weak_class_names.find(names)
            or ErrorClass.OTHER
        )

    def _http_status(self, found: Found, text: str) -> int:
        if given := self._status(found, self._http_keys):
            return given
        for pattern in self._http_in_text:
            if matched := pattern.search(text):
                return int(matched[1])
        return 0

    @staticmethod
    def _status(found: Found, keys: tuple[str, ...]) -> int:
        """Return the first status that is a number; 0 when there is none (HTTP has no such status, gRPC's is OK)."""
        for key in keys:
            value = found.get(key)
            if value is None:
                continue
            given = value.string_value
            if value.int_value:
                return value.int_value
            if given.isascii() and given.isdigit() and len(given) == 3:
                return int(given)
        return 0


@cache  # the package's data do not change
def load() -> Failures:
    """Read the package's `errors.yaml`."""
    return Failures(yaml.safe_load(files("spansieve.measure").joinpath("errors.yaml").read_text(encoding="utf-8")))


def _by_member(table: Mapping[str, Iterable[Any]]) -> dict[Any, ErrorClass]:
    return {member: ErrorClass(name) for name, members in table.items() for member in members}


class _Parts:
    """Parts of a text, in lower case, by the class that they show; the first class of the table wins."""

    def __init__(self, table: Mapping[str, Iterable[str]]) -> None:
        parts = {ErrorClass(name): [part.lower() for part in some] for name, some in table.items()}
        self._by_class = [(known, _either(some)) for known, some in parts.items()]
        self._any = _either([part for some in parts.values() for part in some])

    def find(self, text: str) -> ErrorClass | None:
        if not self._any.search(text):
            return None
        return next((known for known, pattern in self._by_class if pattern.search(text)), None)


def _either(parts: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, parts)))
