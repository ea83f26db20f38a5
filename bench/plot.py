"""Bar charts as SVG, written by hand: no plotting library for three pictures."""

import math
from collections.abc import Sequence
from html import escape

_COLOURS = ("#2563eb", "#9ca3af", "#f59e0b", "#10b981", "#8b5cf6", "#ef4444", "#64748b", "#0ea5e9")
_WIDTH, _HEIGHT = 860, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 70, 40
_HEAD = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
    'font-family="system-ui, sans-serif" font-size="12"><rect width="100%" height="100%" fill="#ffffff"/>'
)


def grouped(title: str, unit: str, groups: Sequence[str], series: dict[str, Sequence[float | None]]) -> str:
    """Bars side by side on a logarithmic axis: a group for each name in `groups`, a colour for each series.

    None leaves a gap.
    """
    values = [value for row in series.values() for value in row if value]
    low = 10 ** math.floor(math.log10(min(values)))
    high = 10 ** math.ceil(math.log10(max(values) * 1.05))
    span = math.log10(high / low)
    plot_height = _HEIGHT - _TOP - _BOTTOM
    parts = [_HEAD, _title(title, unit), _legend(list(series))]
    for power in range(round(math.log10(low)), round(math.log10(high)) + 1):
        y = _HEIGHT - _BOTTOM - plot_height * (power - math.log10(low)) / span
        parts.append(_rule(y, _figure(10.0**power)))
    group_width = (_WIDTH - _LEFT - _RIGHT) / len(groups)
    bar = group_width * 0.8 / len(series)
    for number, group in enumerate(groups):
        left = _LEFT + group_width * (number + 0.1)
        parts.append(_below(left + group_width * 0.4, group))
        for place, row in enumerate(series.values()):
            value = row[number]
            if value:
                height = max(1.0, plot_height * math.log10(value / low) / span)
                parts.append(_bar(left + bar * place, _HEIGHT - _BOTTOM - height, bar, height, place))
                parts.append(_label(left + bar * (place + 0.5), _HEIGHT - _BOTTOM - height - 4, _figure(value)))
    return "\n".join([*parts, "</svg>", ""])


def stacked(title: str, unit: str, groups: Sequence[str], series: dict[str, Sequence[float]]) -> str:
    """Bars of parts of a whole, each group's scaled to 100 %, with its total above."""
    plot_height = _HEIGHT - _TOP - _BOTTOM
    parts = [_HEAD, _title(title, unit), _legend(list(series))]
    parts += [_rule(_HEIGHT - _BOTTOM - plot_height * share / 100, f"{share} %") for share in (0, 25, 50, 75, 100)]
    group_width = (_WIDTH - _LEFT - _RIGHT) / len(groups)
    for number, group in enumerate(groups):
        left = _LEFT + group_width * (number + 0.25)
        total = sum(row[number] for row in series.values()) or 1.0
        y = float(_HEIGHT - _BOTTOM)
        for place, row in enumerate(series.values()):
            height = plot_height * row[number] / total
            y -= height
            parts.append(_bar(left, y, group_width * 0.5, height, place))
        parts.append(_below(left + group_width * 0.25, group))
        parts.append(_label(left + group_width * 0.25, y - 4, _figure(total)))
    return "\n".join([*parts, "</svg>", ""])


def _title(title: str, unit: str) -> str:
    return (
        f'<text x="{_LEFT}" y="22" font-size="15" font-weight="600">{escape(title)}</text>'
        f'<text x="{_WIDTH - _RIGHT}" y="22" text-anchor="end" fill="#475569">{escape(unit)}</text>'
    )


def _legend(names: Sequence[str]) -> str:
    parts = []
    x = _LEFT
    for place, name in enumerate(names):
        parts.append(f'<rect x="{x}" y="34" width="10" height="10" fill="{_COLOURS[place % len(_COLOURS)]}"/>')
        parts.append(f'<text x="{x + 15}" y="43">{escape(name)}</text>')
        x += 30 + 7 * len(name)
    return "".join(parts)


def _rule(y: float, name: str) -> str:
    return (
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e2e8f0"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#475569">{escape(name)}</text>'
    )


def _bar(x: float, y: float, width: float, height: float, place: int) -> str:
    colour = _COLOURS[place % len(_COLOURS)]
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width - 1:.1f}" height="{height:.1f}" fill="{colour}"/>'


def _below(x: float, name: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle" font-weight="600">{escape(name)}</text>'
    )


def _label(x: float, y: float, name: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" font-size="10">{escape(name)}</text>'


def _figure(value: float) -> str:
    """As short as a label should be."""
    if value >= 1_000_000:
        return f"{value / 1_000_000:g} M" if value % 1_000_000 == 0 else f"{value / 1_000_000:.1f} M"
    if value >= 10_000:
        return f"{value / 1000:.0f} k"
    return f"{value:.0f}" if value >= 100 else f"{value:.2g}"
