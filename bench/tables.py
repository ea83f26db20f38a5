"""Tables of Markdown, and figures in them."""


def table(columns: list[str], rows: list[list[str]]) -> str:
    """A table; a bar or a line's end in a cell does not break it."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows]
    return "\n".join([*lines, ""])


def digits(value: float) -> str:
    """Three digits."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def aimed(value: float, aim: float, unit: str = " x", *, least: bool = True) -> str:
    """A figure beside its aim: at least that much, or at most."""
    reached = value >= aim if least else value <= aim
    written = f"{value:.2f}" if least else digits(value)
    return f"{written}{unit} (aim {aim:g}{unit}{', reached' if reached else ''})"
