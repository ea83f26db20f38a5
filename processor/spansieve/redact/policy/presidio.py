"""Recognisers of Presidio, plugged in by name from a policy file. The package `presidio-analyzer` is not needed else.

What is known to go wrong with them is kept out: nothing is fetched (the e-mail recogniser would ask for the list of
public suffixes), a pattern that runs out of time makes the value go and not its findings, long texts are looked at in
windows, and a rule's threshold stands between the text and findings of low confidence. No NLP engine runs, so
recognisers that want one, a model or a service are refused, and context is what the rule and the recogniser name.
"""

import copy
import importlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from spansieve.redact.rules.wholes import TooMuch
from spansieve.redact.text.windows import windows

LONGEST: Final = 65_536
"""Characters of a text that is looked at. A longer one is removed whole: it would take seconds."""

SECONDS: Final = 0.5
"""For one pattern over one window. Past it the text is removed whole."""

_MODELS = ("ner", "third_party", "nlp_engine_recognizers")  # packages of recognisers with a model or a service
_PREDEFINED = "presidio_analyzer.predefined_recognizers"


def problem(name: str, arguments: Mapping[str, Any]) -> str:
    """Say why a recogniser cannot be used, or nothing. It is made once for that."""
    try:
        Recogniser(name, arguments)
    except _Unusable as error:
        return str(error)
    return ""


class Recogniser:
    """One recogniser. Like all of Presidio's, it keeps nothing of the texts that it is given."""

    def __init__(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Make the recogniser of that name, or at that dotted path. Call `problem` first: it says what is wrong."""
        made = _made(_class(name), name, arguments)
        self.context: tuple[str, ...] = tuple(made.context or ())
        self._entities = list(made.supported_entities)
        self._analyze = made.analyze
        if patterns := getattr(made, "patterns", None):
            made.patterns = [_in_time(pattern, made.global_regex_flags) for pattern in patterns]

    def look(self, text: str) -> Iterator[tuple[int, int, float]]:
        """Give the start, the end and the confidence of each finding. Raises TooMuch."""
        if len(text) > LONGEST:
            raise TooMuch
        for low, high in windows(text):
            for each in self._analyze(text[low:high], self._entities, None) or ():
                yield low + each.start, low + each.end, float(each.score)


class _Unusable(Exception):
    """Why a recogniser cannot be used."""


def _class(name: str) -> Any:  # noqa: ANN401 - a class of a package that may not be there
    try:
        analyzer: Any = importlib.import_module("presidio_analyzer")
        tldextract: Any = importlib.import_module("tldextract")
    except ImportError:
        raise _Unusable("needs the package presidio-analyzer, which is not installed: install it beside us") from None
    # Its own list of public suffixes will do; the other one is on the network, and would be kept on the disk.
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    module, _, of = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module or _PREDEFINED), of, None)
    except ImportError:
        raise _Unusable("is in a module that cannot be imported") from None
    if not isinstance(found, type) or not issubclass(found, analyzer.EntityRecognizer):
        raise _Unusable("is no recogniser of Presidio: give the name of one, or the dotted path of a class of yours")
    if issubclass(found, analyzer.RemoteRecognizer) or any(f".{each}." in found.__module__ for each in _MODELS):
        raise _Unusable("asks a model or a service, which no value may wait for: give one that works by patterns")
    return found


def _made(found: Any, name: str, arguments: Mapping[str, Any]) -> Any:  # noqa: ANN401 - see _class
    try:
        return found(**arguments)
    except Exception as error:  # noqa: BLE001 - whatever a class of anyone's raises; its text could show an argument
        of = name.rpartition(".")[2]
        raise _Unusable(f"cannot be made with these args: {of} raised {type(error).__name__}") from None


def _in_time(pattern: Any, flags: int) -> Any:  # noqa: ANN401 - see _class
    """A pattern's copy that does not swallow that its time is over. Presidio would skip it and report success."""
    regex = importlib.import_module("regex")
    own = copy.copy(pattern)  # the class has one list of them for all of its recognisers
    own.compiled_regex = _InTime(regex.compile(pattern.regex, flags=flags))
    own.compiled_with_flags = flags
    return own


class _InTime:
    """Takes the place of a compiled regex in Presidio's own loop."""

    def __init__(self, compiled: Any) -> None:  # noqa: ANN401 - the package `regex` has no types
        self._compiled = compiled

    def finditer(self, text: str, **_: object) -> Iterator[Any]:
        try:
            yield from self._compiled.finditer(text, timeout=SECONDS)
        except TimeoutError:
            raise TooMuch from None
