"""Two processes know whether they redact alike."""

import json

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from spansieve.redact import CompiledRules, policy
from spansieve.redact.policy import Material
from spansieve.workers.agreement import fingerprint

POLICY = """
version: 1
name: house
description: For a test.
pseudonym: {key_env: KEY}
rules:
  - name: furniture
    entity: FURNITURE
    reason: Nobody is to know.
    action: pseudonym
    anchors: [umbrella-stand]
    patterns: [umbrella-stand]
    examples: {positive: [{text: umbrella-stand, becomes: "[furniture:"}], negative: [umbrella]}
"""


def compiled(key: bytes, seed: int = 0, text: str = POLICY) -> CompiledRules:
    """A policy under a key of pseudonyms; `seed` makes the keys that differ from process to process."""
    return policy.compile(policy.parse(text), Material(key * 4, bytes([seed]) * 32))


def test_the_same_policy_and_key_agree() -> None:
    """What differs from process to process by nature does not count."""
    assert fingerprint(compiled(b"sixteen of bytes", 1)) == fingerprint(compiled(b"sixteen of bytes", 2))


def test_another_key_does_not_agree() -> None:
    """Pseudonyms would differ by the worker that a span came to."""
    assert fingerprint(compiled(b"sixteen of bytes")) != fingerprint(compiled(b"sixteen or bytes"))


def test_what_is_never_the_same_twice_does_not_count() -> None:
    """Of a value that is sealed no two processes put the same."""
    key = X25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    sealing = POLICY.replace("action: pseudonym", "action: encrypt").replace("[furniture:", "[SEALED:")
    sealing = sealing.replace("pseudonym: {key_env: KEY}", f"encrypt: {{public_key: {json.dumps(key.decode())}}}")
    assert fingerprint(compiled(b"k" * 16, text=sealing)) == fingerprint(compiled(b"k" * 16, text=sealing))


def test_another_policy_does_not_agree() -> None:
    """One more rule is another policy."""
    assert fingerprint(compiled(b"k" * 16)) != fingerprint(
        compiled(b"k" * 16, text=POLICY.replace("furniture", "hall"))
    )
