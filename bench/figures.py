"""A measured figure, what it should be, and the table of them all."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

_HEAD = ("benchmark", "figure", "measured", "target", "baseline", "ratio", "")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `baseline` is the same unit on the plain server, measured in the same run."""

    benchmark: str
    name: str
    value: float
    unit: str
    _: KW_ONLY
    target: float | None = None
    at_most: bool = True
    """Whether less is better; False where more is."""
    baseline: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times better than the baseline."""
        if not self.baseline or not self.value:
            return None
        return self.baseline / self.value if self.at_most else self.value / self.baseline

    @property
    def is_missed(self) -> bool:
        """Whether there is a target and the value is on its wrong side."""
        if self.target is None:
            return False
        return self.value > self.target if self.at_most else self.value < self.target

    def cells(self) -> tuple[str, ...]:
        """The columns of its line."""
        sign = "≤" if self.at_most else "≥"
        return (
            self.benchmark,
            self.name,
            _text(self.value, self.unit),
            "" if self.target is None else f"{sign} {_text(self.target, self.unit)}",
            _text(self.baseline, self.unit),
            _text(self.ratio, "×"),
            "MISSED" if self.is_missed else "",
        )


def _text(number: float | None, unit: str) -> str:
    if number is None:
        return ""
    digits = 0 if number >= 1000 else 1 if number >= 10 else 2
    return f"{number:,.{digits}f} {unit}".strip()


def tell(figures: Sequence[Figure]) -> Sequence[Figure]:
    """Prints figures as soon as they are taken, for whoever waits, and returns them."""
    for figure in figures:
        _, name, measured, target, *_, missed = figure.cells()
        wanted = f" ({target})" if target else ""
        print(f"  {name}: {measured}{wanted} {missed}".rstrip(), file=sys.stderr, flush=True)
    return figures


def table(figures: Sequence[Figure]) -> str:
    """All figures in aligned columns, and a sentence on what was missed."""
    lines = [_HEAD, *(figure.cells() for figure in figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    # Words to the left, numbers to the right.
    rows = [
        "  ".join(
            cell.rjust(width) if 2 <= column <= 5 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    rows.insert(1, "  ".join("-" * width for width in widths[:-1]))
    missed = [f"{figure.benchmark}: {figure.name}" for figure in figures if figure.is_missed]
    rows.append(f"\nMissed: {'; '.join(missed)}." if missed else "\nEvery target was met.")
    return "\n".join(rows)
