"""What is put in the place of a value: the actions of rules.

`replace`, `remove` and `drop` keep nothing of the value; `mask` its last characters, `truncate` the network of an
address, `pseudonym` that two values are the same, `encrypt` everything, for whoever holds the private key.
"""

import hmac
import ipaddress
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from spansieve.redact.policy.sealing import SEALED, Sealer

Act = Callable[[str], str]

MOST_KEPT = 4
"""Characters that a mask may leave: PCI DSS 3.4.1 lets see a card's last four."""

REMOVAL_ONLY = frozenset({"CVV", "PIN", "TRACK"})
"""Sensitive authentication data: PCI DSS 3.3.1 forbids to store it in any form, encrypted or hashed ones included."""

SHORTEST_KEY = 32
"""Bytes of a pseudonym key: NIST SP 800-107 wants as many as the hash gives."""

_STARS = "****"
_HEX = 16  # digits of a pseudonym: at a million values, two share one with a probability of 10⁻⁷
# Brackets on both sides: what stands beside a value is found as if it stood alone.
_MASKED = re.compile(rf"\[[A-Z][A-Z0-9_]{{0,31}} \*{{4}}\w{{1,{MOST_KEPT}}}\]")
_PSEUDONYM = re.compile(r"\[[a-z][a-z0-9_]{1,31}:[a-f][0-9a-f]{15}\]")
_NOT_WORD = re.compile(r"[\W_]+")
_NO_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Material:
    """What actions need and no policy file may hold.

    `pseudonym_key`: the same in all gateways whose pseudonyms are to agree. `ephemeral`: 32 random bytes that were
    never used before, from which the key of an X25519 exchange is made.
    """

    pseudonym_key: bytes | None = field(default=None, repr=False)
    ephemeral: bytes | None = field(default=None, repr=False)


def mask(keep: int, token: str) -> Act:
    """Show the last characters, letters and digits only, as `[CARD ****1111]`.

    A value shorter than three times as many shows none and becomes the token. How long it was does not show.
    """

    def act(found: str) -> str:
        if _MASKED.fullmatch(found):
            return found
        bare = "".join(c for c in found if c.isalnum())
        return f"{token[:-1]} {_STARS}{bare[-keep:]}]" if keep and len(bare) >= 3 * keep else token

    return act


def truncate(ipv4_prefix: int, ipv6_prefix: int, token: str) -> Act:
    """Keep an address's network and zero the rest; what is no address becomes the token.

    Without the prefix's length behind it, the result is an address like any other, also to the next gateway.
    """

    def act(found: str) -> str:
        try:
            address = ipaddress.ip_address(found.partition("%")[0])
        except ValueError:
            return token
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            return f"::ffff:{_network(address.ipv4_mapped, ipv4_prefix)}"
        return _network(address, ipv4_prefix if address.version == 4 else ipv6_prefix)

    return act


def _network(address: ipaddress.IPv4Address | ipaddress.IPv6Address, prefix: int) -> str:
    return str(ipaddress.ip_network((address, prefix), strict=False).network_address)


def pseudonym(entity: str, key: bytes) -> Act:
    """Name a value by a keyed hash, such as `[email:c07f3a21be5d9f46]`: the same for the same value under the same key.

    HMAC-SHA256 (RFC 2104) over the entity and the value, brought to one case and without what only separates its
    parts. The first digit is a letter, so that no rule takes what follows for a number.
    """
    prefix = entity.lower()
    keyed = hmac.new(key, f"{entity}\0".encode(), "sha256")

    def act(found: str) -> str:
        if _PSEUDONYM.fullmatch(found):
            return found
        state = keyed.copy()
        state.update(canonical(found).encode("utf-8", "surrogatepass"))
        digits = state.hexdigest()
        return f"[{prefix}:{'abcdef'[int(digits[-2:], 16) % 6]}{digits[: _HEX - 1]}]"

    return act


def canonical(value: str) -> str:
    """A value without what two writers of it may do differently: case, width, separators.

    In an e-mail address the separators are parts of it, and stay.
    """
    folded = unicodedata.normalize("NFKC", value).casefold().replace("%40", "@")
    if "@" in folded:
        return _NO_SPACE.sub("", folded)
    return _NOT_WORD.sub("", folded) or folded


def encrypt(sealer: Sealer) -> Act:
    """Seal a value to the policy's public key. What is sealed already stays."""

    def act(found: str) -> str:
        return found if SEALED.fullmatch(found) else sealer.seal(found)

    return act


def marks(entities: set[str], *, masks: bool, seals: bool) -> re.Pattern[str] | None:
    """What the actions of a policy leave in the place of values: pseudonyms of `entities`, masks, seals."""
    kinds = []
    if entities:
        names = "|".join(sorted(re.escape(entity.lower()) for entity in entities))
        kinds.append(rf"\[(?:{names}):[a-f][0-9a-f]{{15}}\]")
    if masks:
        kinds.append(_MASKED.pattern)
    if seals:
        kinds.append(SEALED.pattern)
    return re.compile("|".join(kinds)) if kinds else None
