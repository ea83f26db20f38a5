"""Where a rule applies: the place of a value in OTLP, and the attribute that it belongs to."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from fnmatch import translate


class Place(IntEnum):
    """Where in a request a value stands. A policy names it as `span.attribute` or, with others, as `span.*`.

    0 is no place: nothing was told, because no rule asks.
    """

    TEXT = 1  # alone, in no request
    SPAN_NAME = 2
    SPAN_TRACE_STATE = 3  # also of a link
    SPAN_STATUS = 4
    SPAN_ATTRIBUTE = 5
    EVENT_NAME = 6
    EVENT_ATTRIBUTE = 7
    LINK_ATTRIBUTE = 8
    LOG_BODY = 9
    LOG_ATTRIBUTE = 10
    LOG_NAME = 11  # the record's event_name
    LOG_SEVERITY = 12
    METRIC_NAME = 13
    METRIC_DESCRIPTION = 14
    METRIC_UNIT = 15
    METRIC_METADATA = 16
    POINT_ATTRIBUTE = 17
    EXEMPLAR_ATTRIBUTE = 18
    RESOURCE_ATTRIBUTE = 19
    RESOURCE_ENTITY = 20  # the fields of an entity_ref
    SCOPE_NAME = 21
    SCOPE_VERSION = 22
    SCOPE_ATTRIBUTE = 23
    SCHEMA_URL = 24
    KEY = 25  # the key of an attribute, itself looked at as a text

    @property
    def title(self) -> str:
        """What a policy calls it."""
        return self.name.lower().replace("_", ".", 1)


TITLES = tuple(place.title for place in Place)


@dataclass(frozen=True, slots=True)
class Where:
    """Places, attribute keys and roles, all of which must fit; None fits all."""

    places: frozenset[int] | None
    key: re.Pattern[str] | None
    roles: frozenset[str] | None = None

    def fits(self, place: int, key: str, role: str = "") -> bool:
        """Whether a value at a place, below an attribute key, in a role's message (empty where there is none) fits."""
        return (
            (self.places is None or place in self.places)
            and (self.roles is None or role in self.roles)
            and (self.key is None or self.key.match(key) is not None)
        )


@dataclass(frozen=True, slots=True)
class Selector:
    """Where a rule applies: where any of `where` fits (or there is none), unless any of `unless` does."""

    where: tuple[Where, ...]
    unless: tuple[Where, ...]

    @property
    def by_role(self) -> bool:
        """Whether it asks for a role."""
        return any(each.roles is not None for each in self.where + self.unless)

    def takes(self, place: int, key: str, role: str = "") -> bool:
        """Whether the rule applies to a value at a place, below an attribute key, in a role's message."""
        if self.where and not any(each.fits(place, key, role) for each in self.where):
            return False
        return not any(each.fits(place, key, role) for each in self.unless)


def where(places: Iterable[str], keys: Iterable[str], roles: Iterable[str] = ()) -> Where:
    """Compile names of places, globs of keys and roles as they stand in a policy; none of them means all."""
    chosen = frozenset(place for glob in places for place in matching(glob))
    globs = [translate(glob) for glob in keys]
    return Where(chosen or None, re.compile("|".join(globs)) if globs else None, frozenset(roles) or None)


def matching(glob: str) -> list[Place]:
    """The places that a name such as `span.status`, or a glob such as `span.*`, means."""
    wanted = re.compile(translate(glob))
    return [place for place in Place if wanted.match(place.title)]
