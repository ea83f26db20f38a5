"""Addresses of machines and people, and credentials that can be decoded."""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable

Span = tuple[int, int]
Checker = Callable[[str, int, int], Span | None]

_NOT_ALNUM = re.compile(r"[^0-9A-Za-z]+")
_REPOSITORY = re.compile(r"(?<![\w.+-])git@[\w.-]+\Z", re.ASCII)  # as `git clone git@host:path` has it
_MAIL_CHARACTER = re.compile(r"[\w.+%&~#!-]")
_MAIL_LEFT = re.compile(r"[\w.+%&~#!-]{1,256}+\Z")
_KEEP_MACS = frozenset({"000000000000", "ffffffffffff"})


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _is_private(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_private(address.ipv4_mapped)
        return address in _UNIQUE_LOCAL or address.is_link_local
    return any(address in network for network in _PRIVATE)


def _is_nobody(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Addresses of no machine: unspecified, loopback, masks and broadcast."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return _is_nobody(address.ipv4_mapped)
    if address.is_unspecified or address.is_loopback:
        return True
    if isinstance(address, ipaddress.IPv6Address):
        return address in _ALL_ONES
    return address.packed[0] in {0, 255}


_PRIVATE = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16")))
_UNIQUE_LOCAL = ipaddress.IPv6Network("fc00::/7")
_ALL_ONES = ipaddress.IPv6Network("ffff:ffff::/32")
_BYTES = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){7}").fullmatch  # of a serial number, a fingerprint, a key
_OPEN = re.compile(r"::[0-9A-Fa-f]{1,4}|(?![23fF][0-9A-Fa-f]{3})[0-9A-Fa-f]{1,4}::").fullmatch


# A zero in front is an octal number to some.
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}").fullmatch
_PRIVATE4 = r"10\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2[0-9]|3[01])\."
_IS_PRIVATE4 = re.compile(_PRIVATE4).match
_NOT_PUBLIC4 = re.compile(rf"127\.|255\.|0\.|{_PRIVATE4}").match


def ipv4_public(text: str, start: int, end: int) -> Span | None:
    """The same for four numbers with dots."""
    return None if _IPV4(text, start, end) is None or _NOT_PUBLIC4(text, start, end) is not None else (start, end)


def ipv4_private(text: str, start: int, end: int) -> Span | None:
    """The same for four numbers with dots."""
    return (start, end) if _IPV4(text, start, end) is not None and _IS_PRIVATE4(text, start) is not None else None


def ip_public(text: str, start: int, end: int) -> Span | None:
    """Whether a candidate is an address that the internet routes."""
    address = _address(text[start:end])
    if address is None or _is_nobody(address) or _is_private(address):
        return None
    return start, end


def ip_private(text: str, start: int, end: int) -> Span | None:
    """Whether a candidate is an address of a private network (RFC 1918, 3927, 4193)."""
    address = _address(text[start:end])
    return (start, end) if address is not None and not _is_nobody(address) and _is_private(address) else None


# In the symbols of rules.shapes: two colons in a row, or seven. A time of day has neither.
_MAY_BE_IPV6 = re.compile(r"[h:.?]*?[:?][:?]|(?:[h?]{0,4}[:?]){7}")


def ipv6(check: Checker) -> Checker:
    """Narrow a candidate to what can be an IPv6 address, then check it."""

    def checked(text: str, start: int, end: int) -> Span | None:
        while text[end - 1] == "." or (text[end - 1] == ":" and text[end - 2] != ":"):
            end -= 1  # the end of a sentence, or what the address introduces
        candidate = text[start:end]
        # `add::be` is a name in C++ before it is an address: one needs a digit, or more colons.
        colons = candidate.count(":")
        if (colons < 7 and "::" not in candidate) or (colons < 3 and not any(map(str.isdigit, candidate))):
            return None
        # Neither is `f64::` of Rust, nor `[::4]` of a slice, nor eight bytes.
        if _OPEN(candidate) or _BYTES(candidate):
            return None
        return check(text, start, end)

    checked.may = _MAY_BE_IPV6  # type: ignore[attr-defined]  # see rules.shapes
    return checked


def mac(text: str, start: int, end: int) -> Span | None:
    """A hardware address, except the two that are none."""
    return None if _NOT_ALNUM.sub("", text[start:end]).lower() in _KEEP_MACS else (start, end)


def email(text: str, start: int, end: int) -> Span | None:
    """Take in what is longer than RFC 5321 allows before the @, so that no part of it stays. `git@…:` is nobody's."""
    if text[end : end + 1] == ":" and _REPOSITORY.search(text, max(0, start - 3), end):
        return None
    if not start or text[start - 1] in " \n\"'<:,=" or not _MAIL_CHARACTER.match(text, start - 1):
        return start, end
    longer = _MAIL_LEFT.search(text[max(0, start - 256) : start])
    return (start - len(longer[0]) if longer else start), end


def basic(text: str, start: int, end: int) -> Span | None:
    """RFC 7617: base64 of user:password."""
    raw = text[start:end]
    try:
        decoded = base64.b64decode(raw + "=" * (-len(raw) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return (start, end) if b":" in decoded else None
