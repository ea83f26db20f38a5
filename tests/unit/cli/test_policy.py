"""`spansieve policy`, as a user calls it."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from spansieve.redact import policy
from unit.cli.conftest import Standard
from unit.redact.helpers_redact import CAPTURES

_SEALING = """
include: [identity]
actions: {{EMAIL: {{action: encrypt}}}}
encrypt:
  public_key: {key}
"""


def test_list_names_what_is_shipped(standard: Standard) -> None:
    """Each policy with what it is for, and each pack with the entities that a policy which includes it finds."""
    code, out, _ = standard.call("policy", "list")
    assert code == 0
    policies, packs = out.split("\n\n")
    names = [line.split()[0] for line in policies.splitlines()]
    assert names == ["default", "gdpr", "hipaa-safe-harbor", "metadata-only", "pci-dss"]
    entities = {line.split()[0]: line.split(maxsplit=1)[1] for line in packs.splitlines()[1:]}
    assert list(entities) == policy.packs()
    assert entities["identity"] == "EMAIL, US_ITIN, US_SSN, PHONE"


def test_show_prints_the_effective_policy(standard: Standard, tmp_path: Path) -> None:
    """With its digest; and it can be used as a policy file."""
    code, out, _ = standard.call("policy", "show")
    assert code == 0
    assert out.startswith("# digest: sha256:")
    shown = tmp_path / "shown.yaml"
    shown.write_text(out, encoding="utf-8")
    assert standard.call("policy", "show", str(shown))[1] == out


def test_test_prints_a_table(standard: Standard) -> None:
    """A line a rule, and how many failed."""
    code, out, err = standard.call("policy", "test")
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert any(re.fullmatch(r"mac +[1-9]\d* +[1-9]\d* +ok", line) for line in lines)
    assert " rules, 0 failed, sha256:" in lines[-1]


def test_test_fails_with_a_rule_without_examples(standard: Standard, tmp_path: Path) -> None:
    """Exit code 1, and the rule's name on standard error."""
    own = tmp_path / "own.yaml"
    own.write_text("rules: [{name: badge, entity: BADGE, reason: Our staff., keys: [badge], anchors: [badge]}]")
    code, out, err = standard.call("policy", "test", str(own))
    assert code == 1
    assert "failed" in out
    assert err.startswith("badge: needs at least one")


def test_examples_of_names_are_run(standard: Standard, tmp_path: Path) -> None:
    """By the shipped model: one that does not hold fails as any other."""
    own = tmp_path / "own.yaml"
    own.write_text(
        "rules: [{name: whom, entity: WHOM, reason: Persons in texts., detector: {names: PERSON}, examples: {"
        "positive: [{text: Please call Jane Roe back., becomes: 'Please call [WHOM] back.'}],"
        "negative: [Please call Jane Roe back.]}}]"
    )
    code, out, err = standard.call("policy", "test", str(own))
    assert code == 1
    assert out.splitlines()[1].split() == ["whom", "1", "1", "failed"]
    assert err == "whom: negative example 1 becomes 'Please call [WHOM] back.' by whom\n"


def test_report_is_markdown_unless_told_otherwise(standard: Standard) -> None:
    """On standard output."""
    code, out, err = standard.call("policy", "report", "pci-dss")
    assert (code, err) == (0, "")
    assert out.startswith("# Redaction policy pci-dss\n")


def test_report_writes_a_page(standard: Standard, tmp_path: Path) -> None:
    """Into the file that is named."""
    page = tmp_path / "report.html"
    assert standard.call("policy", "report", "gdpr", "--format", "html", "-o", str(page)) == (0, "", "")
    assert page.read_text("utf-8").startswith("<!doctype html>")


def test_report_fails_when_an_example_does(standard: Standard, tmp_path: Path) -> None:
    """It is written all the same, and says so."""
    own = tmp_path / "own.yaml"
    own.write_text("rules: [{name: badge, entity: BADGE, reason: Our staff., keys: [badge]}]")
    code, out, err = standard.call("policy", "report", str(own))
    assert err == f"Rules whose examples do not hold: 1. The report marks them; see spansieve policy test {own}.\n"
    assert code == 1
    assert "needs at least one positive" in out


def test_report_that_cannot_be_written_is_an_error(standard: Standard) -> None:
    """With the file's name."""
    code, _, err = standard.call("policy", "report", "-o", "/nope/report.md")
    assert (code, err) == (1, "/nope/report.md: No such file or directory.\n")


@pytest.mark.parametrize("name", ["oi.traces.json", "oi.traces.pb", "genai.logs.pb", "genai.metrics.json"])
def test_diff_replays_requests(standard: Standard, name: str) -> None:
    """Of any signal, in either encoding."""
    code, out, err = standard.call("policy", "diff", "default", "metadata-only", "--on", str(CAPTURES / name))
    assert (code, err) == (0, "")
    assert out.startswith("A  default  sha256:")
    assert "1 requests, " in out
    assert "newly masked by B: " in out
    assert "newly visible under B: 0 texts" in out


def test_diff_reads_a_request_a_line(standard: Standard, tmp_path: Path) -> None:
    """As the Collector's file exporter writes them."""
    lines = tmp_path / "many.json"
    one = json.dumps(json.loads((CAPTURES / "oi.traces.json").read_bytes()))
    lines.write_text(f"{one}\n{one}\n")
    assert "2 requests, " in standard.call("policy", "diff", "default", "gdpr", "--on", str(lines))[1]


@pytest.mark.parametrize(("order", "code"), [(("secrets", "both"), 0), (("both", "secrets"), 1)])
def test_strict_diff_refuses_what_becomes_visible(
    standard: Standard, tmp_path: Path, order: tuple[str, str], code: int
) -> None:
    """For a pipeline that lets a policy only become stricter."""
    (tmp_path / "secrets.yaml").write_text("include: [secrets]")
    (tmp_path / "both.yaml").write_text("include: [secrets, identity]")
    request = tmp_path / "request.json"
    attribute = {"key": "note", "value": {"stringValue": "a@b.example"}}
    span = {"traceId": "0" * 31 + "1", "spanId": "0" * 15 + "1", "name": "n", "attributes": [attribute]}
    span |= {"startTimeUnixNano": "1", "endTimeUnixNano": "2"}
    request.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}))
    policies = [str(tmp_path / f"{name}.yaml") for name in order]
    found, out, err = standard.call("policy", "diff", *policies, "--strict", "--on", str(request))
    assert (found, err) == (code, "")
    assert "[EMAIL]" in out
    assert "a@b.example" not in out


@pytest.mark.parametrize("content", ["hunter2", '{"hunter2": 1}', '{"resourceSpans": "hunter2"}'])
def test_diff_on_what_is_no_request_is_an_error(standard: Standard, tmp_path: Path, content: str) -> None:
    """Which shows nothing of the file."""
    (tmp_path / "x.json").write_text(content)
    code, _, err = standard.call("policy", "diff", "default", "gdpr", "--on", str(tmp_path / "x.json"))
    assert code == 1
    assert err.startswith(f"{tmp_path / 'x.json'} does not hold OTLP requests: ")
    assert "hunter2" not in err


def test_schema_is_json_schema(standard: Standard) -> None:
    """Of 2020-12."""
    code, out, _ = standard.call("policy", "schema")
    assert code == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(out))


def _keys(folder: Path, name: str) -> str:
    """Write a private key, and give the public one as a YAML text."""
    key = X25519PrivateKey.generate()
    pkcs8 = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, pkcs8, serialization.NoEncryption())
    (folder / name).write_bytes(private)
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return json.dumps(key.public_key().public_bytes(serialization.Encoding.PEM, spki).decode())


def test_decrypt_opens_what_redact_sealed(standard: Standard, tmp_path: Path) -> None:
    """Only with the private key."""
    (tmp_path / "own.yaml").write_text(_SEALING.format(key=_keys(tmp_path, "mine.pem")))
    _keys(tmp_path, "other.pem")
    given = "write to a@b.example and c@d.example\n"
    code, sealed, _ = standard.call("redact", "--policy", str(tmp_path / "own.yaml"), given=given)
    assert code == 0
    assert "example" not in sealed
    assert standard.call("policy", "decrypt", "--key", str(tmp_path / "mine.pem"), given=sealed) == (0, given, "")
    code, out, err = standard.call("policy", "decrypt", "--key", str(tmp_path / "other.pem"), given=sealed)
    assert (code, out) == (1, sealed)
    assert err.startswith("2 values were sealed to another key")


@pytest.mark.parametrize(("content", "part"), [(b"no key", "The key is not"), (None, "No such file")])
def test_decrypt_without_a_key_is_an_error(
    standard: Standard, tmp_path: Path, content: bytes | None, part: str
) -> None:
    """One sentence."""
    file = tmp_path / "key.pem"
    if content is not None:
        file.write_bytes(content)
    code, out, err = standard.call("policy", "decrypt", "--key", str(file), given="x")
    assert (code, out) == (1, "")
    assert part in err


def test_redact_takes_a_key_file(standard: Standard, tmp_path: Path) -> None:
    """In place of where the policy has it; without one, the sentence says what is missing."""
    (tmp_path / "own.yaml").write_text(
        "include: [identity]\nactions: {EMAIL: {action: pseudonym}}\npseudonym: {key_env: NO_SUCH_VARIABLE}\n"
    )
    (tmp_path / "key").write_text("k" * 32)
    command = ("redact", "--policy", str(tmp_path / "own.yaml"))
    assert standard.call(*command, "--key-file", str(tmp_path / "key"), given="a@b.example")[1].startswith("[email:")
    code, out, err = standard.call(*command, given="a@b.example")
    assert (code, out) == (1, "")
    assert err == "pseudonym.key_env: the environment variable NO_SUCH_VARIABLE is not set.\n"
