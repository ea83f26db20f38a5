"""`spansieve prices`: what a model costs, by which table, and what the table holds."""

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from spansieve import config, price_table, shipped_prices
from spansieve.measure.pricing import PriceRow, PriceTable, Rate

_MILLION = 10**6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="show|list")
    show = actions.add_parser("show", help="the prices that a model's calls are charged, and where they come from")
    show.add_argument("model", metavar="MODEL", help="as spans have it: gpt-4o, us.anthropic.claude-…, ft:gpt-4o-…")
    show.add_argument("--service-tier", default="", metavar="TIER", help="flex, priority, batch, … (default: standard)")
    listing = actions.add_parser("list", help="the shipped prices")
    for action in (show, listing):
        action.add_argument(
            "--provider", metavar="NAME", help="gen_ai.provider.name as it stands in the metrics (default: all)"
        )
    source = show.add_mutually_exclusive_group()
    source.add_argument("--prices", type=Path, metavar="FILE", help="the operator's prices, before the shipped ones")
    source.add_argument("--config", type=Path, metavar="FILE", help="take them from the gateway's configuration")
    show.add_argument("--at", type=_day, metavar="YYYY-MM-DD", help="the prices of a day, noon UTC (default: now)")


def run(arguments: argparse.Namespace) -> int:
    """Print what was asked for; 1 with a sentence on standard error when nothing has a price."""
    return _show(arguments) if arguments.action == "show" else _list(arguments.provider)


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(hour=12, tzinfo=UTC)
    except ValueError:
        raise argparse.ArgumentTypeError("is not a day: write 2026-11-01") from None


def _show(arguments: argparse.Namespace) -> int:
    override = arguments.prices or config.load(arguments.config, os.environ).measure.prices
    table = price_table.load(override)
    at_ns = int((arguments.at or datetime.now(UTC)).timestamp()) * 10**9
    names = [arguments.provider] if arguments.provider else _providers(override)
    found = [
        (name, row)
        for name in names
        if (row := table.find(name, arguments.model, "", at_ns, arguments.service_tier.lower())) is not None
    ]
    if not found:
        where = f" at {arguments.provider}" if arguments.provider else ""
        print(
            f"No price is known for {arguments.model}{where}: its calls count as unpriced. "
            "Give one in the file that measure.prices names.",
            file=sys.stderr,
        )
        return 1
    for name, row in found:
        _print(name, row)
    _print_version(table)
    return 0


def _providers(override: Path | None) -> list[str]:
    own = price_table.providers(override) if override else []
    return list(dict.fromkeys([*own, *shipped_prices.provider_names().values()]))


def _print(provider: str, row: PriceRow) -> None:
    print(f"{provider or 'any provider'}: {row.model} ({row.source})")
    for name, rate in (
        ("input", row.input),
        ("output", row.output),
        ("cache read", row.cache_read),
        ("cache write", row.cache_write),
        ("  for an hour", row.cache_write_1h),
        ("reasoning", row.reasoning),
        ("audio input", row.audio_input),
        ("audio output", row.audio_output),
        ("audio cached", row.audio_cache_read),
        ("image input", row.image_input),
        ("image output", row.image_output),
    ):
        if rate is not None:
            print(f"  {name:<15}{_rate(rate)}")
    if row.input is None and row.output is None:
        print("  no price for tokens: its calls count as unpriced")
    if row.per_call:
        print(f"  {'each call':<15}{row.per_call:g} USD")
    if row.context_window:
        print(f"  {'context window':<15}{row.context_window} tokens")


def _rate(rate: Rate) -> str:
    tiers = "".join(f", {_usd(usd)} above {threshold} tokens of input" for threshold, usd in rate.tiers)
    return f"{_usd(rate.usd)} USD for a million tokens{tiers}"


def _usd(per_token: float) -> str:
    return f"{round(per_token * _MILLION, 9):g}"


def _print_version(table: PriceTable) -> None:
    version = table.version
    own = f"; the operator's prices {version.override_digest}" if version.override_digest else ""
    print(f"genai-prices {version.version}, newest dated price {version.date}{own}")


def _list(provider: str | None) -> int:
    names = shipped_prices.provider_names()
    rows = [
        (names[each.provider], each.row)
        for each in shipped_prices.every(int(datetime.now(UTC).timestamp()))
        if provider in {None, names[each.provider], each.provider}
    ]
    if not rows:
        print(f"No price of {provider} is shipped. Known: {', '.join(sorted(names.values()))}.", file=sys.stderr)
        return 1
    print(f"{'provider':<22}{'model':<52}{'input':>10}{'output':>10}  USD for a million tokens")
    for name, row in rows:
        print(f"{name:<22}{row.model:<52}{_short(row.input):>10}{_short(row.output):>10}")
    return 0


def _short(rate: Rate | None) -> str:
    return "-" if rate is None else _usd(rate.usd) + ("+" if rate.tiers else "")
