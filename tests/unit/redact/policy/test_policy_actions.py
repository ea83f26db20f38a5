"""What a policy may do with which kind of value, and the keys that its actions need."""

import json
from functools import cache
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spansieve import policy_source, redact
from spansieve.redact import policy
from spansieve.redact.policy import Policy, PolicyError
from spansieve.redact.policy.sealing import SEALED
from spansieve.redact.review import trial
from spansieve.redact.rules.compiled import CompiledRules
from unit.redact.helpers_redact import mixed_texts, run

_ROOT = Path(__file__).parents[4]
_SHIPPED = ["default", "gdpr", "hipaa-safe-harbor", "metadata-only", "pci-dss"]
_PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VuAyEAj0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8=
-----END PUBLIC KEY-----
"""
_ALL = """
actions:
  EMAIL: {{action: pseudonym}}
  PERSON: {{action: pseudonym}}
  US_SSN: {{action: pseudonym}}
  NATIONAL_ID: {{action: pseudonym}}
  PHONE: {{action: encrypt}}
  SECRET: {{action: encrypt}}
  CARD: {{action: mask}}
  API_KEY: {{action: mask, keep: 2}}
  CVV: {{action: remove}}
  IP: {{action: truncate}}
pseudonym: {{key_env: A}}
encrypt: {{public_key: {key}}}
"""
_RULE = """
rules:
  - name: badge
    entity: {entity}
    reason: Numbers of our staff's badges.
    keys: [badge]
    action: {action}
    examples: {{positive: [{{text: "1", key: badge, becomes: "[BADGE]"}}], negative: [x]}}
"""


def _problems(text: str) -> str:
    with pytest.raises(PolicyError) as caught:
        policy.parse(text)
    return "\n".join(caught.value.problems)


@pytest.mark.parametrize("entity", ["CVV", "PIN", "TRACK"])
@pytest.mark.parametrize("action", ["mask", "pseudonym", "encrypt"])
def test_nothing_of_sensitive_authentication_data_may_stay(entity: str, action: str) -> None:
    """No form of it may be stored, sealed or hashed ones included."""
    assert f"rules.badge: {action} would keep something of a {entity}" in _problems(
        _RULE.format(entity=entity, action=action) + "pseudonym: {key_env: A}\n"
    )


@pytest.mark.parametrize("action", ["replace", "remove", "drop"])
def test_sensitive_authentication_data_may_be_removed(action: str) -> None:
    """In any way."""
    assert policy.parse(_RULE.format(entity="CVV", action=action)).rules[0].action == action


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (_RULE.format(entity="BADGE", action="hash"), "unkeyed hash"),
        ("include: [finance]\nactions: {CARD: {action: hash}}", "unkeyed hash"),
        ("include: [finance]\nactions: {CARD: {action: mask, keep: 6}}", "4 is the most"),
        ("include: [finance]\nactions: {CARD: {action: pseudonym}}", "pseudonym is missing"),
        ("include: [finance]\nactions: {CARD: {action: encrypt}}", "encrypt is missing"),
        ("include: [finance]\nactions: {CARD: {action: truncate}}", "truncate is for addresses"),
        ("include: [finance]\nactions: {NOPE: {action: mask}}", "'NOPE' is neither an entity nor a rule"),
        ("include: [finance]\nactions: {CARD: {action: shred}}", "is not accepted"),
        (
            "include: [finance]\nactions: {payment_card: {action: mask}, card_by_key: {action: pseudonym}}\n"
            "pseudonym: {key_env: A}",
            "from which together a number can be found",
        ),
        ("include: [finance]\nrefuse: [mask]\nactions: {CARD: {action: mask}}", "an action that this policy refuses"),
        ("include: [finance]\npseudonym: {key_env: A, key_file: b}", "either key_env or key_file"),
        ("include: [finance]\npseudonym: {}", "either key_env or key_file"),
        ("include: [finance]\nencrypt: {public_key: nonsense}", "not a public key in PEM"),
        (
            _RULE.format(entity="BADGE", action="remove").replace("keys:", "where: [{places: [nope]}]\n    keys:"),
            "no place",
        ),
        (
            _RULE.format(entity="BADGE", action="remove").replace("name: badge", "name: content"),
            "an allow-list removes",
        ),
        (_RULE.format(entity="BADGE", action="remove") + "allow: {keys: [a]}", "allow.places is missing"),
    ],
)
def test_a_mistake_about_actions_is_named(text: str, part: str) -> None:
    """Before anything is redacted by it."""
    assert part in _problems(text)


def test_whoever_tightens_a_pack_names_rule_or_entity() -> None:
    """The rule's own name goes before its entity's."""
    chosen = policy.parse("include: [finance]\nactions: {CARD: {action: mask}, card_by_key: {action: remove}}")
    actions = {rule.name: rule.action for rule in chosen.rules}
    assert (actions["payment_card"], actions["card_by_key"], actions["iban"]) == ("mask", "remove", "replace")


@pytest.mark.parametrize("name", _SHIPPED)
def test_a_shipped_policy_does_what_its_examples_say(name: str) -> None:
    """All of them, the packs' and its own."""
    assert [(each.rule, each.failures) for each in trial.run(_shipped(name)) if each.failures] == []


def test_these_policies_are_shipped() -> None:
    """No more and no fewer."""
    assert policy.shipped_names() == _SHIPPED


@pytest.mark.parametrize("name", _SHIPPED)
def test_a_shipped_policy_reads_back_as_itself(name: str) -> None:
    """What `policy show` prints does the same."""
    again = policy.parse(policy.render(_shipped(name)))
    assert policy.digest(again) == policy.digest(_shipped(name))


def test_the_digest_is_of_what_a_policy_does() -> None:
    """Reasons, owners, clauses and examples are for readers."""
    text = _RULE.format(entity="BADGE", action="remove")
    told = text.replace("staff's", "people's").replace(
        "    keys:", "    owner: me\n    supports: {soc2: [C1.1]}\n    keys:"
    )
    assert policy.digest(policy.parse(told)) == policy.digest(policy.parse(text))
    assert policy.digest(policy.parse(text.replace("remove", "drop"))) != policy.digest(policy.parse(text))


def test_metadata_only_keeps_no_content() -> None:
    """Whatever the key, in JSON or not, unless it is on the list; the rules go over what stays."""
    rules = policy.compile(_shipped("metadata-only"))
    for key in ("gen_ai.input.messages", "input.value", "my.own.note", "llm.model_names", ""):
        assert redact.text("tell me of Paris", rules, key)[0] == "[CONTENT]"
        assert redact.text('{"model": "Paris"}', rules, key)[0] == "[CONTENT]"
    assert redact.text("gpt-4o", rules, "gen_ai.request.model")[0] == "gpt-4o"
    assert redact.text("a@b.example", rules, "gen_ai.request.model")[0] == "[EMAIL]"


def test_pci_dss_shows_the_last_four_of_a_card() -> None:
    """And nothing of its verification code."""
    rules = policy.compile(_shipped("pci-dss"))
    assert redact.text("card 4111 1111 1111 1111", rules)[0] == "card [CARD ****1111]"
    assert "123" not in redact.text('{"cvv": "123"}', rules)[0]


def test_gdpr_keeps_the_network_of_an_address() -> None:
    """Which tells a region and a provider, not a person."""
    assert redact.text("203.0.113.9", policy.compile(_shipped("gdpr")))[0] == "203.0.113.0"


@pytest.mark.parametrize("action", ["pseudonym", "encrypt"])
def test_safe_harbor_refuses_codes_made_of_the_value(action: str) -> None:
    """Whoever copies the policy is told."""
    text = (
        policy.shipped("hipaa-safe-harbor") + f"\nactions: {{EMAIL: {{action: {action}}}}}\npseudonym: {{key_env: A}}\n"
    )
    assert f"{action} is an action that this policy refuses" in _problems(text)


@pytest.mark.parametrize("folder", ["packs", "policies"])
def test_the_schema_accepts_what_is_shipped(folder: str) -> None:
    """Every pack and every policy is valid by it."""
    validator = jsonschema.Draft202012Validator(policy.schema())
    for file in sorted((_ROOT / "processor/spansieve/redact" / folder).glob("*.yaml")):
        assert [error.message for error in validator.iter_errors(yaml.safe_load(file.read_text("utf-8")))] == []


@pytest.mark.parametrize(
    "text", ["nmae: x", "rules: [{name: x}]", "actions: {CARD: {action: hash}}", "version: 2", "limits: {depth: 99}"]
)
def test_the_schema_refuses_mistakes(text: str) -> None:
    """Unknown keys, missing ones, values out of range."""
    assert list(jsonschema.Draft202012Validator(policy.schema()).iter_errors(yaml.safe_load(text)))


def test_the_published_schema_is_current() -> None:
    """`spansieve policy schema` would print the same."""
    published = json.loads((_ROOT / "docs/reference/policy.schema.json").read_text("utf-8"))
    assert published == policy.schema()


_WITH_KEY = "include: [identity]\nactions: {EMAIL: {action: pseudonym}}\npseudonym: {key_env: PSEUDONYM_KEY}\n"


@pytest.fixture
def keyed(tmp_path: Path) -> Path:
    """A policy that makes pseudonyms with a key in the environment."""
    file = tmp_path / "keyed.yaml"
    file.write_text(_WITH_KEY)
    return file


def test_the_key_comes_from_the_environment(keyed: Path) -> None:
    """Without white space around it, as a file or a shell may leave it."""
    one, other = (
        policy_source.load(str(keyed), {"PSEUDONYM_KEY": value}) for value in ("k" * 32, "  " + "k" * 32 + "\n")
    )
    assert redact.text("a@b.example", one)[0] == redact.text("a@b.example", other)[0]


def test_a_key_file_goes_before(keyed: Path, tmp_path: Path) -> None:
    """The gateway's configuration may say where the key is, whatever the policy says."""
    (tmp_path / "key").write_text("z" * 32)
    with_file = policy_source.load(str(keyed), {}, tmp_path / "key")
    with_environment = policy_source.load(str(keyed), {"PSEUDONYM_KEY": "z" * 32})
    assert redact.text("a@b.example", with_file)[0] == redact.text("a@b.example", with_environment)[0]


def test_a_policy_may_name_a_key_file(tmp_path: Path) -> None:
    """As orchestrators mount secrets."""
    (tmp_path / "key").write_text("z" * 32)
    own = tmp_path / "own.yaml"
    own.write_text(_WITH_KEY.replace("key_env: PSEUDONYM_KEY", f"key_file: {tmp_path / 'key'}"))
    assert redact.text("a@b.example", policy_source.load(str(own), {}))[0].startswith("[email:")
    (tmp_path / "key").unlink()
    with pytest.raises(PolicyError, match=r"pseudonym.key_file: .* cannot be read"):
        policy_source.load(str(own), {})


@pytest.mark.parametrize(
    ("environ", "part"),
    [({}, "PSEUDONYM_KEY is not set"), ({"PSEUDONYM_KEY": "hunter2"}, "the key has 7 bytes")],
)
def test_a_key_that_is_missing_is_named_and_not_shown(keyed: Path, environ: dict[str, str], part: str) -> None:
    """The sentence says where it should be."""
    with pytest.raises(PolicyError, match=part) as caught:
        policy_source.load(str(keyed), environ)
    assert "hunter2" not in str(caught.value)


def test_a_policy_without_pseudonyms_needs_no_key() -> None:
    """Even if a key file is configured and is not there."""
    assert policy_source.load("default", {}, Path("/nope")).name == "default"


def _shipped(name: str) -> Policy:
    return policy.parse(policy.shipped(name))


@cache
def _all_actions() -> CompiledRules:
    """A policy in which every action is in use."""
    text = policy.shipped("default") + _ALL.format(key=json.dumps(_PUBLIC_KEY))
    return policy.compile(policy.parse(text), trial.MATERIAL)


@settings(deadline=None)
@given(mixed_texts, st.sampled_from(["", "note", "phone", "password", "client.address", "my_ssn", "name"]))
def test_what_actions_leave_stays(text: str, key: str) -> None:
    """Masks, pseudonyms, networks and seals are no values to the next gateway, whatever stands around them."""
    once, found = redact.text(text, _all_actions(), key)
    assert redact.text(once, _all_actions(), key)[0] == once
    assert found.keys().isdisjoint({"error", "budget"})


@pytest.mark.parametrize("action", ["replace", "mask", "pseudonym", "encrypt"])
def test_what_stands_beside_a_value_is_found_all_the_same(action: str) -> None:
    """What an action puts ends in no letter and no digit, which would hide a neighbour."""
    text = f"include: [identity]\nactions: {{EMAIL: {{action: {action}}}}}\npseudonym: {{key_env: A}}\n"
    rules = policy.compile(policy.parse(f"{text}encrypt: {{public_key: {json.dumps(_PUBLIC_KEY)}}}"), trial.MATERIAL)
    assert redact.text("alice@example.com078-05-1120", rules)[0].endswith("][US_SSN]")


def test_metadata_only_keeps_numbers() -> None:
    """Counts, prices and temperatures are what it is for; a card's number is none of them."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(name="chat gpt-4o")
    span.attributes.add(key="my.tokens").value.int_value = 1200
    span.attributes.add(key="my.temperature").value.double_value = 1.0
    span.attributes.add(key="my.cache").value.bool_value = True
    span.attributes.add(key="my.note").value.int_value = 4111111111111111
    span.attributes.add(key="my.text").value.string_value = "1200"
    run(request, policy.compile(_shipped("metadata-only")))
    values = [attribute.value for attribute in span.attributes[:5]]
    assert span.name == "chat gpt-4o"
    assert [value.WhichOneof("value") for value in values[:3]] == ["int_value", "double_value", "bool_value"]
    assert [value.string_value for value in values[3:]] == ["[CARD]", "[CONTENT]"]


def test_no_seal_is_put_twice() -> None:
    """Of two seals nobody can tell that they hold the same: a text that comes again is sealed anew."""
    sealed = "include: [identity]\nactions: {EMAIL: {action: encrypt}}\n"
    key = f"encrypt: {{public_key: {json.dumps(_PUBLIC_KEY)}}}"
    rules = policy.compile(policy.parse(sealed + key), trial.MATERIAL)
    long = f"Dear customer, {'we write to you. ' * 40} alice@example.com"
    for text in ("alice@example.com", long, json.dumps([{"role": "user", "content": long}])):
        seals = [seal for _ in range(3) for seal in SEALED.findall(redact.text(text, rules)[0])]
        assert len(seals) == len(set(seals)) == 3
