"""What is put in the place of a value, and what of the value that still tells."""

import base64
import hmac
import re
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from spansieve import redact
from spansieve.redact import policy
from spansieve.redact.policy import Material, actions, sealing

_KEY = b"0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class _Pair:
    """A private key and its public one, in PEM."""

    private: bytes
    public: str


def _pair(key: X25519PrivateKey | Ed25519PrivateKey) -> _Pair:
    return _Pair(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    )


@pytest.fixture(scope="module")
def pair() -> _Pair:
    """Somebody's keys."""
    return _pair(X25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.mark.parametrize(
    ("found", "keep", "left"),
    [
        ("4111 1111 1111 1234", 4, "[CARD ****1234]"),
        ("378282246310005", 4, "[CARD ****0005]"),
        ("4111 1111 1111 1234", 0, "[CARD]"),
        ("12345678901", 4, "[CARD]"),
        ("123456789012", 4, "[CARD ****9012]"),
        ("12345678901", 2, "[CARD ****01]"),
        ("", 4, "[CARD]"),
        ("[CARD ****1234]", 4, "[CARD ****1234]"),
        ("[CARD ****12345678]", 4, "[CARD ****5678]"),
    ],
)
def test_a_mask_shows_the_last_characters(found: str, keep: int, left: str) -> None:
    """Of a value long enough that they are few; how long it was does not show."""
    assert actions.mask(keep, "[CARD]")(found) == left


@given(st.text(), st.integers(0, 4))
def test_a_mask_never_shows_more_than_it_may(found: str, keep: int) -> None:
    """Its token and at most so many characters, whatever is masked."""
    shown = actions.mask(keep, "[CARD]")(found)
    assert shown.startswith("[CARD")
    assert len(shown) <= len("[CARD ****]") + keep


@pytest.mark.parametrize(
    ("found", "left"),
    [
        ("203.0.113.9", "203.0.113.0"),
        ("2001:db8:85a3:1:2:8a2e:370:7334", "2001:db8:85a3::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:203.0.113.9", "::ffff:203.0.113.0"),
        ("no address", "[IP]"),
    ],
)
def test_an_address_keeps_its_network(found: str, left: str) -> None:
    """A /24 and a /48; what is no address does not stay."""
    assert actions.truncate(24, 48, "[IP]")(found) == left


@given(st.ip_addresses().map(str))
def test_a_truncated_address_stays(found: str) -> None:
    """The next gateway changes nothing more."""
    act = actions.truncate(24, 48, "[IP]")
    assert act(act(found)) == act(found)


@pytest.mark.parametrize(
    ("entity", "one", "other"),
    [
        ("EMAIL", "Alice@Example.com", "alice@example.COM"),
        ("EMAIL", "alice%40example.com", "alice@example.com"),
        ("US_SSN", "078-05-1120", "078 05 1120"),
        ("PHONE", "+1 (415) 555-2671", "+14155552671"),
        ("PERSON", "Alice  Sample", "ALICE SAMPLE"),
        ("IBAN", "DE89 3704 0044 0532 0130 00", "de89370400440532013000"),
    ],
)
def test_a_value_has_one_pseudonym_however_it_is_written(entity: str, one: str, other: str) -> None:
    """Case and separators do not count."""
    act = actions.pseudonym(entity, _KEY)
    assert act(one) == act(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("EMAIL", _KEY, "a.b@example.com"), ("EMAIL", _KEY, "ab@example.com")),
        (("EMAIL", _KEY, "a@example.com"), ("EMAIL", _KEY[::-1], "a@example.com")),
        (("PHONE", _KEY, "4155552671"), ("NATIONAL_ID", _KEY, "4155552671")),
    ],
)
def test_pseudonyms_differ(one: tuple[str, bytes, str], other: tuple[str, bytes, str]) -> None:
    """By value, by key, and by kind of value, also in their digits."""
    digits = [actions.pseudonym(entity, key)(value).partition(":")[2] for entity, key, value in (one, other)]
    assert digits[0] != digits[1]


def test_a_pseudonym_is_its_entity_and_digits() -> None:
    """Sixteen of them, the first a letter; the same in every process."""
    assert re.fullmatch(r"\[person:[a-f][0-9a-f]{15}\]", actions.pseudonym("PERSON", _KEY)("Alice"))
    assert actions.pseudonym("PERSON", _KEY)("Alice") == actions.pseudonym("PERSON", bytes(_KEY))("Alice")


def test_pseudonyms_of_all_releases_agree() -> None:
    """By the definition: HMAC-SHA256 of the entity, a zero byte and the value; the last byte chooses the letter."""
    digits = hmac.new(_KEY, b"EMAIL\0alice@example.com", "sha256").hexdigest()
    letter = "abcdef"[int(digits[-2:], 16) % 6]
    assert actions.pseudonym("EMAIL", _KEY)("Alice@Example.com") == f"[email:{letter}{digits[:15]}]"


@given(st.text(min_size=1), st.sampled_from(["EMAIL", "US_SSN", "PHONE"]))
def test_a_pseudonym_stays(value: str, entity: str) -> None:
    """It is not given one of its own."""
    act = actions.pseudonym(entity, _KEY)
    assert act(act(value)) == act(value)


def test_the_holder_of_the_key_opens_what_was_sealed(pair: _Pair) -> None:
    """Any text, also one that cannot be encoded."""
    sealer = sealing.Sealer(pair.public, bytes(32))
    for value in ("alice@example.com", "", "é\ud800", "x" * 10_000):
        sealed = sealer.seal(value)
        assert sealing.SEALED.fullmatch(sealed)
        assert sealing.Opener(pair.private).open(sealed) == value


def test_the_same_value_is_never_sealed_alike(pair: _Pair) -> None:
    """Each has a nonce of its own, so that equal values do not show."""
    sealer = sealing.Sealer(pair.public, bytes(32))
    assert len({sealer.seal("x") for _ in range(1000)}) == 1000


def test_what_is_sealed_can_be_opened_by_what_is_not_ours(pair: _Pair) -> None:
    """A public key, the value's number in twelve bytes, AES-256-GCM: by RFC 7748, 5869 and 5116, from the outside."""
    sealer = sealing.Sealer(pair.public, bytes(range(32)))
    private = serialization.load_pem_private_key(pair.private, None)
    assert isinstance(private, X25519PrivateKey)
    for number, value in enumerate(("alice@example.com", "078-05-1120")):
        body = sealer.seal(value).removeprefix("[ENC:").removesuffix("]")
        raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        head, nonce, sealed = raw[:32], raw[32:44], raw[44:]
        assert head == X25519PrivateKey.from_private_bytes(bytes(range(32))).public_key().public_bytes_raw()
        assert int.from_bytes(nonce, "big") == number
        use = b"spansieve break-glass 1"
        info = use + head + private.public_key().public_bytes_raw()
        key = HKDF(SHA256(), 32, salt=None, info=info).derive(private.exchange(X25519PublicKey.from_public_bytes(head)))
        assert AESGCM(key).decrypt(nonce, sealed, use) == value.encode()


def test_nobody_else_opens_it(pair: _Pair) -> None:
    """Not another key, and not when a character was changed."""
    sealed = sealing.Sealer(pair.public, bytes(32)).seal("alice@example.com")
    other = _pair(X25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
    with pytest.raises(sealing.SealingError, match="another key"):
        sealing.Opener(other.private).open(sealed)
    changed = sealed[:-10] + ("A" if sealed[-10] != "A" else "B") + sealed[-9:]
    with pytest.raises(sealing.SealingError, match="altered"):
        sealing.Opener(pair.private).open(changed)


def test_what_is_sealed_stays_so(pair: _Pair) -> None:
    """It is not sealed again by the next gateway."""
    act = actions.encrypt(sealing.Sealer(pair.public, bytes(32)))
    sealed = act("x")
    assert act(sealed) == sealed


@pytest.mark.parametrize("private", [b"", b"no key", None])
def test_a_key_that_is_none_is_refused(private: bytes | None) -> None:
    """And one for something else."""
    pem = private if private is not None else _pair(Ed25519PrivateKey.generate()).private
    with pytest.raises(sealing.SealingError, match="is not"):
        sealing.Opener(pem)


def _policy(actions_text: str, pair: _Pair) -> policy.Policy:
    indented = "".join(f"    {line}\n" for line in pair.public.splitlines())
    return policy.parse(
        f"include: [finance, identity, network]\nactions: {actions_text}\n"
        f"pseudonym: {{key_env: NAME}}\nencrypt:\n  public_key: |\n{indented}"
    )


@pytest.mark.parametrize(
    ("change", "text", "pattern"),
    [
        ("{EMAIL: {action: pseudonym}}", "to a@b.example.", r"to \[email:[0-9a-f]{16}\]\."),
        ("{EMAIL: {action: encrypt}}", "to a@b.example.", r"to \[ENC:[\w-]+\]\."),
        ("{EMAIL: {action: remove}}", "to a@b.example.", r"to \."),
        ("{email: {action: mask, keep: 2}}", "to a@b.example.", r"to \[EMAIL \*{4}le\]\."),
        ("{CARD: {action: mask}}", "4111 1111 1111 1111", r"\[CARD \*{4}1111\]"),
        ("{IP: {action: truncate}}", "at 203.0.113.9:80", r"at 203\.0\.113\.0:80"),
        ("{EMAIL: {action: replace, token: '[MAIL]'}}", "to a@b.example.", r"to \[MAIL\]\."),
    ],
)
def test_a_policy_chooses_the_action(change: str, text: str, pattern: str, pair: _Pair) -> None:
    """For all rules of an entity, or for one; and what it leaves stays when it comes again."""
    rules = policy.compile(_policy(change, pair), Material(_KEY, bytes(32)))
    once = redact.text(text, rules)[0]
    assert re.fullmatch(pattern, once)
    assert redact.text(once, rules) == (once, {})


@pytest.mark.parametrize(
    ("material", "change", "part"),
    [
        (None, "{EMAIL: {action: pseudonym}}", "the key has 0 bytes"),
        (Material(b"short"), "{EMAIL: {action: pseudonym}}", "the key has 5 bytes"),
        (Material(_KEY), "{EMAIL: {action: encrypt}}", "randomness"),
    ],
)
def test_a_missing_key_is_an_error(material: Material | None, change: str, part: str, pair: _Pair) -> None:
    """Not a policy that does less than it says."""
    with pytest.raises(policy.PolicyError, match=part):
        policy.compile(_policy(change, pair), material)


def test_keys_do_not_show() -> None:
    """In no traceback and no log that prints what holds them."""
    assert "0123" not in repr(Material(_KEY, _KEY))
