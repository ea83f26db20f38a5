"""The shipped rules: what each finds, with numbers made for the purpose, and what all of them leave alone."""

from pathlib import Path

import pytest

from spansieve.names_stage import names_redactor
from spansieve.redact import CompiledRules
from spansieve.redact.review import trial
from spansieve.redact.rules.anchors import KEY
from unit.redact.helpers_redact import clean, default_policy, default_rules, found, iban_complete, luhn_complete

_CARDS = {
    "visa": luhn_complete("401288888888188"),
    "visa of 13 digits": luhn_complete("422222222222"),
    "visa of 19 digits": luhn_complete("412345678901234567"),
    "mastercard": luhn_complete("540123456789012"),
    "mastercard 2-series": luhn_complete("222300004841001"),
    "american express": luhn_complete("37144963539843"),
    "diners club": luhn_complete("3056930902590"),
    "discover": luhn_complete("601111111111111"),
    "jcb": luhn_complete("353011133330000"),
    "unionpay": luhn_complete("621234567890123"),
    "maestro": luhn_complete("50001234567"),
}
_IBANS = {
    "DE": iban_complete("DE", "370400440532013000"),
    "GB": iban_complete("GB", "NWBK60161331926819"),
    "FR": iban_complete("FR", "20041010050500013M02606"),
    "NO": iban_complete("NO", "86011117947"),
    "MT": iban_complete("MT", "MALT011000012345MTLCAST001S"),
    "NL": iban_complete("NL", "ABNA0417164300"),
}


def with_names(rules: CompiledRules) -> trial.Read:
    """What takes names out, by the shipped model."""
    redactor = names_redactor(rules)
    assert redactor is not None
    return redactor.text


@pytest.mark.parametrize("result", trial.run(default_policy(), with_names), ids=lambda result: result.rule)
def test_each_rule_does_what_its_examples_say(result: trial.Result) -> None:
    """Every shipped rule has examples of both kinds, and they hold; those of names by the shipped model."""
    assert (result.failures, result.positive > 0, result.negative > 0) == ((), True, True)


@pytest.mark.parametrize("number", _CARDS.values(), ids=_CARDS)
@pytest.mark.parametrize("separator", ["", " ", "-", "\u00a0"], ids=["none", "space", "hyphen", "nbsp"])
def test_cards_of_all_networks_are_found(number: str, separator: str) -> None:
    """A card's number goes whole, however its digits are grouped."""
    grouped = separator.join(number[i : i + 4] for i in range(0, len(number), 4))
    assert clean(f"card {grouped}, thanks") == "card [CARD], thanks"


@pytest.mark.parametrize("number", _CARDS.values(), ids=_CARDS)
def test_a_wrong_check_digit_is_no_card(number: str) -> None:
    """Digits that fail the Luhn check stay."""
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert clean(f"id {wrong} ok") == f"id {wrong} ok"


@pytest.mark.parametrize("iban", _IBANS.values(), ids=_IBANS)
@pytest.mark.parametrize("shape", ["{}", "my iban: {}.", "acct_{}_x"])
def test_ibans_are_found(iban: str, shape: str) -> None:
    """An account's number goes whole, in one piece and in groups of four, in any case."""
    groups = " ".join(iban[i : i + 4] for i in range(0, len(iban), 4))
    for written in (iban, groups, iban.lower()):
        assert clean(shape.format(written)) == shape.format("[IBAN]")


_POSITIVE = [
    ("email", "alice@example.com"),
    ("email", "ALICE.B+tag@Example.CO.UK"),
    ("email", "用户@例子.广告"),
    ("email", "a" * 90 + "@example.com"),
    ("email", "mailto:alice@example.com?subject=x"),
    ("email", "'alice@example.com'"),
    ("email", "(alice@example.com)"),
    ("us_ssn", "078-05-1120"),
    ("us_ssn", "078\u201305\u20131120"),
    ("us_ssn", "_078-05-1120_"),
    ("us_itin", "900-70-0000"),
    ("phone", "+49 (0)30 1234567"),
    ("phone", "+14155552671"),
    ("phone", "+44-20-7946-0958"),
    ("phone", "1-800-555-0199"),
    ("phone", "(415) 555-2671"),
    ("phone", "415.555.2671"),
    ("phone", "07911 123456"),
    ("phone", "01 23 45 67 89"),
    ("phone", "phone: 867-5309"),
    ("phone", "WhatsApp 4915112345670"),
    ("ipv4_public", "192.0.2.1"),
    ("ipv4_public", "8.8.8.8:53"),
    ("ipv4_private", "172.16.5.4"),
    ("ipv6_public", "2001:DB8::1"),
    ("ipv6_public", "addr=2600:1f18:22ba:8c00:ba86:a05e:a5ba:00ff."),
    ("mac", "DE:AD:BE:EF:00:01"),
    ("jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"),
    ("bearer", "authorization was bearer abcdefghijklmnopqrstuvwx"),
    ("basic", "Basic dXNlcjpwYXNzd29yZA=="),
    ("url_credentials", "redis://:s3cret@cache:6379/0"),
    ("url_credentials", "mongodb+srv://u:p%40ss@cluster0.example.net"),
    ("private_key", "-----BEGIN PRIV" + "ATE KEY-----\\nMIIE\\n-----END PRIV" + "ATE KEY-----\\n"),
    ("private_key", "-----BEGIN ENCRYPTED PRIV" + "ATE KEY-----\nabc"),
    ("private_key", "-----BEGIN PGP PRIV" + "ATE KEY BLOCK-----\nabc"),
    ("secret_in_text", "DB_PASSWORD=hunter2"),
    ("secret_in_text", "--password=hunter2"),
    ("secret_in_text", "api_key: 'abc'"),
    ("secret_in_text", 'secret => "abc"'),
    ("secret_in_text", "Passwort: x, password : y"),
    ("secret_in_text", "?access_token=abc"),
    ("cookie_header", "Set-Cookie: session=abc; Path=/"),
    ("authorization_header", "Authorization: ApiKey abcdef"),
    ("url_signature", "https://b.example/x?sig=ab%2Bcd1234&se=2024"),
]


@pytest.mark.parametrize(("rule", "text"), _POSITIVE, ids=[text[:40] for _, text in _POSITIVE])
def test_what_a_rule_must_find(rule: str, text: str) -> None:
    """The named rule finds one value, and replaces it."""
    assert found(text).get(rule) == 1


_KEYS = [
    "password",
    "db.password",
    "user_passwd",
    "PASSWORD",
    "userPassword",
    "client_secret",
    "clientSecret",
    "api_key",
    "apiKey",
    "OPENAI_API_KEY",
    "x-api-key",
    "http.request.header.x-api-key",
    "http.request.header.authorization",
    "authorization.0",
    "http.response.header.set-cookie",
    "cookie",
    "access_token",
    "refreshToken",
    "id_token",
    "private_key",
    "aws_secret_access_key",
    "secret",
    "mistral.api_key",
    "metadata.user_api_key",
    "credentials",
    "otp",
    "gen_ai.prompt.variable.password",
]


@pytest.mark.parametrize("key", _KEYS)
def test_a_value_goes_for_its_keys_sake(key: str) -> None:
    """Under a key that names a credential the whole value goes, whatever it looks like."""
    assert clean("correct horse", key) == "[SECRET]"


@pytest.mark.parametrize("key", _KEYS)
def test_a_value_in_json_goes_for_its_keys_sake(key: str) -> None:
    """The same in JSON, where a number becomes a string and a list's elements go one by one."""
    text = f'{{"{key}": "correct horse", "n": {{"{key}": 12}}, "l": {{"{key}": ["a", "b"]}}, "x": 1}}'
    assert clean(text) == (
        f'{{"{key}": "[SECRET]", "n": {{"{key}": "[SECRET]"}}, "l": {{"{key}": ["[SECRET]", "[SECRET]"]}}, "x": 1}}'
    )


_BENIGN_KEYS = [
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "max_tokens",
    "gen_ai.request.max_tokens",
    "gen_ai.token.type",
    "tokenizer",
    "llm.usage.total_tokens",
    "token_count",
    "password_policy",
    "secret_count",
    "cookie_consent",
    "key",
    "db.key",
    "primary_key",
    "cache_key",
    "metadata.user_api_key_alias",
    "metadata.user_api_key_hash",
    "session.id",
    "gen_ai.conversation.id",
    "pinned",
    "passed",
    "bypass",
]


@pytest.mark.parametrize("key", _BENIGN_KEYS)
def test_keys_that_only_sound_like_secrets_keep_their_values(key: str) -> None:
    """Token counts, policies and ids are telemetry."""
    assert clean("1024", key) == "1024"
    assert clean(f'{{"{key}": 1024}}') == f'{{"{key}": 1024}}'


_BENIGN = Path(__file__).with_name("benign.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("text", _BENIGN, ids=[text[:40] for text in _BENIGN])
def test_what_telemetry_is_made_of_stays(text: str) -> None:
    """No rule touches ids, hashes, versions, model names, times and prose."""
    assert clean(text) == text


@pytest.mark.parametrize("text", _BENIGN, ids=[text[:40] for text in _BENIGN])
def test_what_telemetry_is_made_of_stays_in_prose(text: str) -> None:
    """Nor in the middle of a sentence."""
    assert clean(f"We saw {text} and then more.") == f"We saw {text} and then more."


@pytest.mark.parametrize("key", ["service.version", "telemetry.sdk.version", "scope.version", "app_version"])
def test_versions_of_four_parts_stay_under_version_keys(key: str) -> None:
    """1.2.3.4 is a version there, and an address elsewhere."""
    assert clean("1.2.3.4", key) == "1.2.3.4"
    assert clean("1.2.3.4", "note") == "[IP]"


@pytest.mark.parametrize("key", ["server.address", "host.ip", "net.host.ip", "network.local.address"])
def test_private_addresses_of_our_own_servers_stay(key: str) -> None:
    """Private ranges stay under keys that name our infrastructure; public addresses do not."""
    assert clean("10.1.2.3", key) == "10.1.2.3"
    assert clean("203.0.113.9", key) == "[IP]"


def test_a_prompt_does_not_vanish_for_a_word_in_it() -> None:
    """Only the value is replaced, not the text around it."""
    prompt = "Hello! I forgot my password. My mail is alice@example.com. " + "Please help me. " * 50
    assert clean(prompt, "gen_ai.prompt") == prompt.replace("alice@example.com", "[EMAIL]")


def test_several_values_of_one_kind_all_go() -> None:
    """Values that stand side by side are each replaced and counted."""
    assert clean("078-05-1120 219-09-9999 alice@example.com bob@example.com") == "[US_SSN] [US_SSN] [EMAIL] [EMAIL]"
    assert found("alice@example.com bob@example.com") == {"email": 2}


def test_what_overlaps_is_replaced_as_one() -> None:
    """No digit of an overlapped finding stays."""
    assert clean("postgres://alice:078-05-1120@db/x") == "postgres://[CREDENTIALS]@db/x"


_NAMES = sorted({name.removeprefix("*") for rule in default_policy().rules for name in rule.keys})


@pytest.mark.parametrize("name", _NAMES)
@pytest.mark.parametrize("style", ["snake", "kebab", "camel", "escaped"])
def test_each_key_of_a_rule_is_an_anchor_in_json(name: str, style: str) -> None:
    """JSON is walked only where an anchor is: every name is one, however it is written."""
    first, *rest = name.split("_")
    written = {"kebab": name.replace("_", "-"), "camel": first + "".join(word.title() for word in rest)}.get(
        style, name
    )
    text = f'{{\\"{written}\\": 1}}' if style == "escaped" else f'{{"{written}": 1}}'
    assert KEY in {anchor for _, anchor in default_rules().anchors.scan([text])[0]}
