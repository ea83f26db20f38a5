"""Environment variables in the values of a configuration, as the Collector writes them: `${env:NAME}`."""

import re
from collections.abc import Mapping
from typing import Final

# A plain dollar; a variable, or what looks like one.
_VARIABLE = re.compile(r"\$\$|\$\{[^}\n]*\}")
_NAMED = re.compile(r"\$\{(?:env:)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>(?:[^}$]|\$(?!\{))*))?\}")
_SOURCE = re.compile(r"\$\{([a-z]+:)")
# For private use in Unicode: YAML takes them anywhere, and nobody else in a configuration.
_MARKS: Final = tuple(map(chr, range(0xE000, 0xE100)))


class Variables:
    """The variables of a text, which is parsed without them, so that whatever one holds remains one value.

    `marked` is the text with a mark in place of each. After `expand`, `problems` has a sentence for each that cannot be
    had, and `unread` the values that hold one: they stay as they are written, so that the other mistakes of the file
    are told with it.
    """

    def __init__(self, text: str, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._written: list[str] = []
        self._mark = next((mark for mark in _MARKS if mark not in text), _MARKS[0])
        self._marked = re.compile(f"{self._mark}([0-9]+){self._mark}")
        self.problems: list[str] = []
        self.unread: set[str] = set()
        self.marked: Final = _VARIABLE.sub(self._put_aside, text)

    def _put_aside(self, found: re.Match[str]) -> str:
        self._written.append(found[0])
        return f"{self._mark}{len(self._written) - 1}{self._mark}"

    def expand(self, value: str) -> str:
        """Put the variables into a value of the marked text."""
        if self._mark not in value and "${" not in value:
            return value
        written = self._marked.sub(lambda found: self._written[int(found[1])], value)
        missing = [problem for each in _VARIABLE.findall(written) if (problem := self._problem(each))]
        if "${" in value:
            missing.append(_not_understood("${"))
        if missing:
            self.problems += [each for each in dict.fromkeys(missing) if each not in self.problems]
            self.unread.add(written)
            return written
        return self._marked.sub(lambda found: self._value(self._written[int(found[1])]) or "", value)

    def _value(self, variable: str) -> str | None:
        if variable == "$$":
            return "$"
        named = _NAMED.fullmatch(variable)
        return self._environment.get(named["name"], named["default"]) if named else None

    def _problem(self, variable: str) -> str:
        if self._value(variable) is not None:
            return ""
        if named := _NAMED.fullmatch(variable):
            name = named["name"]
            return (
                f"The environment variable {name} is not set: set it, or give a default as in ${{env:{name}:-value}}."
            )
        return _not_understood(variable)


def _not_understood(variable: str) -> str:
    source = _SOURCE.match(variable)
    return (
        f"${{{source[1] if source else ''}…}} is not understood: a variable is written ${{env:NAME}} or "
        "${env:NAME:-default}, and a plain $ before a brace $$."
    )
