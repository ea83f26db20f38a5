"""The generator: that the files are current, and that values which cannot be meant are refused."""

from pathlib import Path

import pytest
import yaml

from spansieve.catalogue import Semconv
from stack.generate import __main__ as generate
from stack.generate import rule_file, slo, values

SOURCE = generate.STACK / "values.yaml"


@pytest.mark.parametrize(("name", "text"), generate.files().items())
def test_files_are_current(name: str, text: str) -> None:
    """What is checked in is what the generator makes."""
    assert (generate.STACK / name).read_text(encoding="utf-8") == text


def test_check_names_what_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--check` writes nothing, names each stale file, and ends with 1; a run mends them, and then it ends with 0."""
    files = {"one.yml": "new\n", "two.yml": "same\n"}
    (tmp_path / "one.yml").write_text("old\n", encoding="utf-8")
    (tmp_path / "two.yml").write_text("same\n", encoding="utf-8")
    monkeypatch.setattr(generate, "STACK", tmp_path)
    monkeypatch.setattr(generate, "files", lambda: files)
    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().out == "stack/one.yml is stale: run python -m stack.generate\n"
    assert (tmp_path / "one.yml").read_text(encoding="utf-8") == "old\n"
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


def test_a_mistake_in_the_values_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong goes to standard error, without a traceback, and nothing is written."""

    def refuse() -> dict[str, str]:
        raise values.ValuesError("cost.usd_a_day is asked for and is not there")

    monkeypatch.setattr(generate, "files", refuse)
    assert generate.main([]) == 2
    assert capsys.readouterr().err == "stack/values.yaml: cost.usd_a_day is asked for and is not there\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("warning_for: 10m", "warning_for: 10", "error_rate.warning_for is '10': use a duration"),
        ("semconv: v1.41", "semconv: v1.30", "semconv is 'v1.30': use one of v1.41, latest"),
        (
            "latency_seconds: 2.56",
            "latency_seconds: 2",
            "slo.latency_seconds is '2': use a bucket's bound, one of 0.01,",
        ),
        ("objective_percent: 99", "objective_percent: 100", "slo.objective_percent is a number between 0 and 100"),
        ("objective_percent: 99", "objective_percent: most", "slo.objective_percent is a number between 0 and 100"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    """The error names the key and what may stand there."""
    text = SOURCE.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "values.yaml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(values.ValuesError) as refused:
        values.load(tmp_path / "values.yaml")
    assert str(refused.value).startswith(said)


def test_a_file_without_a_mapping_is_refused(tmp_path: Path) -> None:
    """An empty file is told as such."""
    (tmp_path / "values.yaml").write_text("", encoding="utf-8")
    with pytest.raises(values.ValuesError, match=r"^the file does not hold a mapping$"):
        values.load(tmp_path / "values.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [("> %{cost.a_year}", "cost.a_year is asked for and is not there"), ("5 % of", "a percent sign in '5 % of'")],
)
def test_placeholders_without_a_value_are_refused(text: str, said: str) -> None:
    """A name that values.yaml does not have, and a percent sign that stands alone, are mistakes."""
    with pytest.raises(values.ValuesError) as refused:
        values.load(SOURCE).fill({"expr": [text]})
    assert str(refused.value).startswith(said)


def test_another_generation_of_the_conventions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `semconv: latest` every file reads that generation's names, and none the old one's for inference."""
    for name in ("alerts.yaml", "slo.yaml"):
        (tmp_path / name).write_text((generate.STACK / name).read_text(encoding="utf-8"), encoding="utf-8")
    text = SOURCE.read_text(encoding="utf-8").replace(f"semconv: {Semconv.V1_41}", f"semconv: {Semconv.LATEST}")
    (tmp_path / "values.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(generate, "STACK", tmp_path)
    made = generate.files()
    for name in ("alerts.yml", "slo.yml", "seed-names.yml", "summaries.yml"):
        assert "gen_ai_client_inference_duration_seconds_bucket" in made[f"prometheus/rules/{name}"]
    assert "gen_ai_client_operation_duration_seconds" not in "".join(made.values())


def test_error_budgets_burn_over_pairs_of_windows() -> None:
    """Pages and tickets come from the four pairs of the SRE workbook, each window with its recorded ratio."""
    chosen = values.load(SOURCE)
    (group,) = yaml.safe_load(slo.rules((generate.STACK / "slo.yaml").read_text(encoding="utf-8"), chosen))["groups"]
    *ratios, page, ticket = group["rules"]
    assert [rule["record"].removeprefix("slo:sli_error:ratio_rate") for rule in ratios] == [
        *("5m", "30m", "1h", "2h", "6h", "1d", "3d")
    ]
    assert all(f"[{rule['record'].removeprefix('slo:sli_error:ratio_rate')}]" in rule["expr"] for rule in ratios)
    for rule, factors in ((page, ("14.4", "6")), (ticket, ("3", "1"))):
        assert all(f"> {factor} * (1 - 99 / 100)" in rule["expr"] for factor in factors)
    assert (page["labels"]["severity"], ticket["labels"]["severity"]) == ("critical", "warning")


def test_rule_files_say_that_they_are_made() -> None:
    """Who opens a made file is told what to change instead; long expressions stand as blocks, not as escapes."""
    text = rule_file.text("x.yaml", [{"name": "group", "rules": [{"record": "a", "expr": "b\n+ c"}]}])
    assert text.startswith("# Made by `python -m stack.generate` from x.yaml.")
    assert "expr: |-\n" in text
