"""Pieces of Markdown, and numbers for people."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable, Sequence


def number(value: float, digits: int = 3) -> str:
    """Returns a number with so many significant digits; a dash when there is none."""
    if math.isnan(value):
        return "–"
    short = f"{value:.{digits}g}"
    return f"{float(short):,.0f}" if 10.0**digits <= abs(value) < 1e9 else short


def with_error(value: float, error: float) -> str:
    """Returns a value and its error to the same decimals, such as 1.64e-04 ± 0.05e-04."""
    if math.isnan(error) or error <= 0:
        return number(value)
    last = math.floor(math.log10(error)) - 1  # two digits of the error
    power = math.floor(math.log10(max(abs(value), error)))
    if -3 <= power < 5:
        decimals = max(0, -last)
        return f"{value:.{decimals}f} ± {error:.{decimals}f}"
    decimals = max(0, power - last)
    scale = 10.0**power
    return f"({value / scale:.{decimals}f} ± {error / scale:.{decimals}f})e{power:+03d}"


def signed(value: float) -> str:
    """Returns a distance in standard errors, such as +1.2."""
    return "–" if math.isnan(value) else f"{value:+.1f}"


def percent(value: float) -> str:
    """Returns a share in percent."""
    return f"{100 * value:.0f} %"


def counted(count: int, noun: str) -> str:
    """Returns a count with its noun, such as 8 teachers."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a table; columns but the first are aligned to the right."""
    lines = ["| " + " | ".join(header) + " |", "|---" + "|--:" * (len(header) - 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def reflow(text: str, width: int = 110) -> str:
    """Returns a document with its paragraphs and list items wrapped anew, and nothing else."""
    blocks = []
    for block in text.split("\n\n"):
        if block.startswith("- "):
            items = re.split(r"\n(?=- )", block)
            block = "\n".join(_wrap(item, width, "  ") for item in items)
        elif not block.startswith(("#", "|", "!", "```")):
            block = _wrap(block, width, "")
        blocks.append(block)
    return "\n\n".join(blocks)


def _wrap(text: str, width: int, indent: str) -> str:
    words = " ".join(text.split())
    return textwrap.fill(words, width, subsequent_indent=indent, break_long_words=False,
                         break_on_hyphens=False)


def listed(items: Sequence[str]) -> str:
    """Returns items as in a sentence: a, b and c."""
    if len(items) < 2:
        return "".join(items)
    return ", ".join(items[:-1]) + " and " + items[-1]
