"""Why a call failed, as one of the closed set of error classes; the evidence itself goes nowhere."""

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any

from spansieve import strict_yaml
from spansieve.facts import ErrorClass
from spansieve.measure.read.attributes import AttributeReader, Found
from spansieve.model import EventHead

_MAX_TEXT = 2048
_REMEMBERED = 256
"""Characters of evidence that are searched: a provider's message says what it is near its beginning."""


class Failures:
    """The classifier; its data, and the order in which evidence is asked, are described in `errors.yaml`."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        attributes = data["attributes"]
        self._http_keys: tuple[str, ...] = tuple(attributes["http_status"])
        self._grpc_keys: tuple[str, ...] = tuple(attributes["grpc_status"])
        self._type_keys: tuple[str, ...] = tuple(attributes["type"])
        self._text_keys: tuple[str, ...] = tuple(attributes["text"])
        self._failed = {key: frozenset(said) for key, said in data["failed"].items()}
        self.keys: frozenset[str] = frozenset().union(*attributes.values(), self._failed)
        """Every attribute that tells of a failure."""
        self.shows: frozenset[str] = frozenset((*self._type_keys, *self._failed))
        """Attributes without which a span whose status is no error did not fail, unless its finish reason says so."""
        self._of_exception = AttributeReader(("exception.type", "exception.message"))
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
        # The same few failures come again and again; a text with a request's id in it is searched each time.
        self._search = lru_cache(maxsize=_REMEMBERED)(self._search_evidence)

    def classify(
        self,
        found: Found,
        finish_reasons: tuple[str, ...],
        *,
        failed: bool,
        message: str = "",
        events: Iterable[EventHead] = (),
        error_type: str = "",
    ) -> ErrorClass | None:
        """Return why a call failed, None when it did not.

        It failed when the span's status is ERROR (`failed`), when an error type is given, or when a finish reason says
        so. `message` is the status message, `events` are the span's.
        """
        types = [given for key in self._type_keys if isinstance(given := found.get(key), str) and given]
        if error_type:
            types.append(error_type)
        if failed or types or self._says_so(found):
            return self._decide(found, types, message, events)
        return self.of_answer(finish_reasons)

    def of_answer(self, finish_reasons: tuple[str, ...]) -> ErrorClass | None:
        """Return why a call that was answered failed nevertheless, None when it did not."""
        for reason in finish_reasons:
            if (known := self._finish_reasons.get(reason.lower())) is not None:
                return known
        return None

    def _says_so(self, found: Found) -> bool:
        """Whether an attribute says of itself that the call failed."""
        return any(str(found[key]).strip('"') in said for key, said in self._failed.items() if key in found)

    def _decide(self, found: Found, types: list[str], message: str, events: Iterable[EventHead]) -> ErrorClass:
        # The statuses that decide alone are asked first: most failures have one, and texts are costly to search.
        http, grpc = self._status(found, self._http_keys), self._status(found, self._grpc_keys)
        if known := self._http.get(http) or (self._grpc.get(grpc) if not http else None):
            return known
        names, text = self._evidence(found, types, message, events)
        if not http:
            http = self._http_in(text)
        return self._search(names, text, http, grpc)

    def _evidence(self, found: Found, types: list[str], message: str, events: Iterable[EventHead]) -> tuple[str, str]:
        """Return the names of the exceptions' classes, unqualified, and the texts, both in lower case, a line each."""
        texts = [message[:_MAX_TEXT]]
        texts += [given[:_MAX_TEXT] for key in self._text_keys if isinstance(given := found.get(key), str)]
        for event in events:
            if event.name != "exception":
                continue
            told = self._of_exception.of_bytes(event.attributes)
            kind, given = told.get("exception.type"), told.get("exception.message")
            if isinstance(kind, str):
                types.append(kind)
            # It is nearly always the status message once more.
            if isinstance(given, str) and (given := given[:_MAX_TEXT]) not in texts:
                texts.append(given)
        names = [each[:_MAX_TEXT].rpartition(".")[2] for each in types]
        return "\n".join(names)[:_MAX_TEXT].lower(), "\n".join(texts)[:_MAX_TEXT].lower()

    def _search_evidence(self, names: str, text: str, http: int, grpc: int) -> ErrorClass:
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

    def _http_in(self, text: str) -> int:
        for pattern in self._http_in_text:
            if matched := pattern.search(text):
                return int(matched[1])
        return 0

    @staticmethod
    def _status(found: Found, keys: tuple[str, ...]) -> int:
        """Return the first status that is a number; 0 when there is none (HTTP has no such status, gRPC's is OK)."""
        for key in keys:
            given = found.get(key)
            if type(given) is int and given:
                return given
            if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) == 3:
                return int(given)
        return 0


@cache  # the package's data do not change
def load() -> Failures:
    """Read the package's `errors.yaml`."""
    return Failures(strict_yaml.shipped("spansieve.measure.read", "errors.yaml"))


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
