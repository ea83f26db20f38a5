"""What a configuration names beside its keys: everything that is not there is told at once."""

from pathlib import Path

import pytest

from spansieve import config, prepared


def test_a_policy_for_an_entity_that_nobody_finds_is_a_problem() -> None:
    """Also within another policy; what the redaction policy finds is named."""
    inner = "{name: b, type: redacted, redacted: {entities: [CARD, CRADS]}}"
    text = f"sampling: {{policies: [{{name: a, type: and, and: {{and_sub_policy: [{inner}]}}}}]}}"
    (problem,) = prepared.problems(config.parse(text, {}))
    assert problem.startswith("sampling.policies: 'b' asks for the entity 'CRADS', which no rule of redaction.policy")
    assert "CARD" in problem


def test_problems_of_files_are_found_together(tmp_path: Path) -> None:
    """A policy, a price file and a certificate that are not there are three sentences."""
    text = f"""
redaction: {{policy: {tmp_path}/policy.yaml}}
measure: {{prices: {tmp_path}/prices.yaml}}
exporters: {{otlp: {{endpoint: "collector:4317", tls: {{ca_file: {tmp_path}/ca.pem}}}}}}
"""
    found = prepared.problems(config.parse(text, {}))
    assert len(found) == 3
    assert ["policy.yaml" in found[0], "prices.yaml" in found[1], "ca.pem" in found[2]] == [True, True, True]


def test_keys_that_could_not_be_there_are_found(tmp_path: Path) -> None:
    """A key of pseudonyms that is not there; a journal's key in a directory that is not, as of a forgotten mount."""
    text = f"""
redaction: {{key_file: {tmp_path}/secrets/pseudonyms}}
storage: {{key_file: {tmp_path}/secrets/journal.key}}
"""
    assert prepared.problems(config.parse(text, {})) == [
        f"redaction.key_file: there is no file {tmp_path}/secrets/pseudonyms.",
        f"storage.key_file: there is no directory {tmp_path}/secrets, where a key could be or be made.",
    ]


def test_a_file_in_place_of_a_directory_is_found(tmp_path: Path) -> None:
    """`check` says what a start would end with."""
    file = tmp_path / "data"
    file.touch()
    (problem,) = prepared.problems(config.parse(f"storage: {{directory: {file}}}", {}))
    assert problem == f"storage.directory: {file} is a file, and a directory is needed."


def _doubts(text: str) -> list[str]:
    settings = config.parse(text, {})
    return [doubt.event for doubt in prepared.doubts(settings, prepared.prepare(settings).rules)]


def test_a_journal_that_would_not_be_read_is_doubted(tmp_path: Path) -> None:
    """`durability: memory` over segments of another run: what they owe is not forgotten in silence."""
    text = f"storage: {{durability: memory, directory: {tmp_path}}}"
    assert _doubts(text) == []
    segments = tmp_path / "journal"
    segments.mkdir()
    (segments / "00000000000000000001.segment").touch()
    assert _doubts(text) == ["journal_is_not_read"]


@pytest.mark.parametrize(("mode", "doubted"), [(0o700, []), (0o775, []), (0o777, ["storage_is_open"])])
def test_a_directory_that_everybody_may_write_to_is_doubted(mode: int, doubted: list[str], tmp_path: Path) -> None:
    """Who may write there can remove what is owed; a group may, since orchestrators hand out volumes so."""
    directory = tmp_path / "data"
    directory.mkdir()
    directory.chmod(mode)
    assert _doubts(f"storage: {{directory: {directory}}}") == doubted


@pytest.mark.parametrize(("names", "doubted"), [("kept", ["names_are_not_looked_for"]), ("off", [])])
def test_names_that_nothing_looks_for_are_doubted(names: str, doubted: list[str], tmp_path: Path) -> None:
    """A policy without the pack `names`, and names asked for."""
    policy = tmp_path / "own.yaml"
    policy.write_text("include: [network]", encoding="utf-8")
    redaction = f"{{policy: {policy}, names: {names}}}"
    assert _doubts(f"redaction: {redaction}\nstorage: {{directory: {tmp_path}/data}}") == doubted
