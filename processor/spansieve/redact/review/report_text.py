"""A report as Markdown or as one HTML page: no scripts, nothing loaded from elsewhere."""

import re
from collections.abc import Callable, Iterable, Sequence
from html import escape

from spansieve.redact.review.measured import Figures
from spansieve.redact.review.report import REGIMES, Report, RuleReport
from spansieve.redact.review.trial import Shown

_STATEMENT = (
    "These rules support the clauses named beside them. They do not by themselves make anyone compliant, and nobody "
    "has certified them."
)
_HEAD = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2128; max-width: 76rem; margin: 2rem auto; padding: 0 1rem }
h1, h2, h3 { line-height: 1.2 } h3 { margin: 2rem 0 .3rem }
table { border-collapse: collapse; margin: .5rem 0 1rem; width: 100% }
th, td { border: 1px solid #d0d7de; padding: .3rem .6rem; text-align: left; vertical-align: top }
th { background: #f6f8fa } code { font: 13px ui-monospace, monospace; overflow-wrap: anywhere }
.failed { color: #b42318; font-weight: 600 } p.about { margin: .2rem 0; color: #57606a }
@media print { body { margin: 0; max-width: none } h3 { break-after: avoid } tr { break-inside: avoid } }
"""

_MARKUP = re.compile(r"[\\`*_\[\]<>|#]")
_TICKS = re.compile(r"`+")

_IDENTIFIERS = ("Letter", "Identifier", "Found", "Rules", "Limits")
_EXAMPLES = ("Under the key", "Before", "After")
_SUMMARY = ("Rule", "Entity", "Action", "Supports", "Examples", "Recall", "Precision")


def markdown(report: Report) -> str:
    """Write a report as Markdown."""
    lines = [f"# Redaction policy {_md(report.name)}", ""]
    lines += [_md(report.description), ""] if report.description else []
    lines += [*(f"- {_md(line)}" for line in _facts(report)), "", _STATEMENT, "", "## Rules", ""]
    lines += _md_table(_SUMMARY, (_summary(rule) for rule in report.rules))
    lines += ["## How it was measured", ""]
    lines += [line for each in _measured(report) for line in (_md(each), "")]
    if report.allowed:
        lines += ["## What stays", "", "All other texts are removed.", ""]
        lines += [*(f"- `{name}`" for name in report.allowed), ""]
    lines += ["## HIPAA Safe Harbor, 45 CFR 164.514(b)(2)(i)", ""]
    lines += _md_table(_IDENTIFIERS, _identifiers(report))
    lines += ["## What is not covered", "", *(f"- {_md(limit)}" for limit in report.limits), ""]
    lines += ["## The rules one by one", ""]
    for rule in report.rules:
        lines += [f"### {rule.name}", "", _md(rule.reason), "", _md(_about(rule)), ""]
        lines += [f"- **Failed**: {_md(failure)}" for failure in rule.result.failures]
        lines += [""] if rule.result.failures else []
        lines += _md_table(_EXAMPLES, (_example(shown, _md_code) for shown in rule.result.shown))
    return "\n".join(lines).rstrip() + "\n"


def html(report: Report) -> str:
    """Write a report as one HTML page."""
    title = f"Redaction policy {escape(report.name)}"
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head>{_HEAD}<title>{title}</title><style>{_STYLE}</style></head><body>',
        f"<h1>{title}</h1><p>{escape(report.description)}</p>",
        f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in _facts(report))}</ul><p>{escape(_STATEMENT)}</p>",
        "<h2>Rules</h2>",
        _html_table(_SUMMARY, (_html_summary(rule) for rule in report.rules)),
        "<h2>How it was measured</h2>",
        *(f"<p>{escape(each)}</p>" for each in _measured(report)),
    ]
    if report.allowed:
        kept = "".join(f"<li><code>{escape(name)}</code></li>" for name in report.allowed)
        parts.append(f"<h2>What stays</h2><p>All other texts are removed.</p><ul>{kept}</ul>")
    parts += [
        "<h2>HIPAA Safe Harbor, 45 CFR 164.514(b)(2)(i)</h2>",
        _html_table(_IDENTIFIERS, ([escape(cell) for cell in row] for row in _identifiers(report))),
        "<h2>What is not covered</h2>",
        f"<ul>{''.join(f'<li>{escape(limit)}</li>' for limit in report.limits)}</ul>",
        "<h2>The rules one by one</h2>",
    ]
    for rule in report.rules:
        failures = "".join(f'<p class="failed">Failed: {escape(each)}</p>' for each in rule.result.failures)
        parts.append(
            f'<h3 id="{escape(rule.name)}">{escape(rule.name)}</h3><p>{escape(rule.reason)}</p>'
            f'<p class="about">{escape(_about(rule))}</p>{failures}'
        )
        parts.append(_html_table(_EXAMPLES, (_example(shown, _html_code) for shown in rule.result.shown)))
    return "\n".join([*parts, "</body></html>", ""])


def _facts(report: Report) -> list[str]:
    examples = sum(rule.result.positive + rule.result.negative for rule in report.rules)
    return [
        f"Digest: {report.digest}",
        f"{len(report.rules)} rules, {report.failed} of which failed their examples",
        f"{examples} examples, all run for this document",
    ]


def _summary(rule: RuleReport) -> list[str]:
    result = rule.result
    examples = f"{result.positive} found, {result.negative} left alone" if not result.failures else "FAILED"
    if rule.by_model:
        examples = f"by the model of names: {examples}" if result.positive else "found by the model of names"
    return [rule.name, rule.entity, rule.action, _supports(rule), examples, *_shares(rule.figures)]


def _html_summary(rule: RuleReport) -> list[str]:
    """The same as markup, with a link to what is said of the rule below."""
    name, *others = (escape(cell) for cell in _summary(rule))
    return [f'<a href="#{name}">{name}</a>', *others]


def _shares(figures: Figures | None) -> tuple[str, str]:
    """Recall and precision in words, with how many they are of."""
    if figures is None or figures.recall is None:
        return "", ""
    varied = " (varied)" if figures.how == "varied" else ""
    recall = f"{_share(figures.recall)} of {figures.values}{varied}"
    if figures.precision is None:
        return recall, ""
    return recall, f"{_share(figures.precision)} of {figures.right + figures.wrong}"


def _share(share: float) -> str:
    """A share with three digits, never rounded up to one."""
    return f"{share if share == 1 else min(share, 0.999):.3f}"


def _measured(report: Report) -> list[str]:
    return [each.format(values=report.corpus.values, benign=report.corpus.benign) for each in report.how_measured]


def _supports(rule: RuleReport) -> str:
    return "; ".join(f"{REGIMES[regime]} {', '.join(clauses)}" for regime, clauses in rule.supports.items())


def _about(rule: RuleReport) -> str:
    parts = [f"{rule.entity}: {rule.action}", f"applies {rule.applies}"]
    parts += [f"supports {_supports(rule)}"] if rule.supports else []
    parts += [f"owner {rule.owner}"] if rule.owner else []
    return "; ".join(parts) + "."


def _identifiers(report: Report) -> Iterable[list[str]]:
    for each in report.identifiers:
        yield [each.letter, each.identifier, each.found, ", ".join(each.rules), each.limit]


def _example(shown: Shown, code: Callable[[str], str]) -> list[str]:
    after = code(shown.becomes) if shown.becomes else "(nothing)"
    if shown.becomes == shown.text:
        after = "(stays)"
    return [code(shown.key) if shown.key else "", code(shown.text), after]


def _md_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return [*lines, *(f"| {' | '.join(map(_md_cell, row))} |" for row in rows), ""]


def _md(text: str) -> str:
    """Text in which Markdown sees no markup."""
    return _MARKUP.sub(r"\\\g<0>", _plain(text))


def _md_cell(cell: str) -> str:
    return cell if cell.startswith("`") else _md(cell)


def _md_code(text: str) -> str:
    """Text as code in a table: no fence of it is as long as a run of backticks in it, and bars are escaped."""
    shown = _plain(text).replace("|", "\\|")
    fence = "`" * (1 + max((len(run) for run in _TICKS.findall(shown)), default=0))
    gap = " " if len(fence) > 1 else ""
    return f"{fence}{gap}{shown}{gap}{fence}"


def _html_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells are markup already."""
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _html_code(text: str) -> str:
    return f"<code>{escape(_plain(text))}</code>"


def _plain(text: str) -> str:
    """One line of text, with what cannot be printed shown as an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)
