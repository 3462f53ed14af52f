"""What the figures have in common: ours is drawn solid, theirs dashed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

# Told apart also by the colour-blind (Okabe and Ito).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")


def new_figure(
    columns: int = 1, width: float = 5.6, height: float = 4.2
) -> tuple[Figure, list[Axes]]:
    """Returns a figure with panels side by side."""
    figure, axes = pyplot.subplots(
        1, columns, figsize=(width * columns, height), squeeze=False, layout="constrained"
    )
    for axis in axes[0]:
        axis.grid(True, which="major", color="#e0e0e0", linewidth=0.7)
        axis.set_axisbelow(True)
        for side in ("top", "right"):
            axis.spines[side].set_visible(False)
    return figure, list(axes[0])


def label_ticks(axis: Axes, values: Sequence[float]) -> None:
    """Puts ticks on a logarithmic x axis where measurements are, and nowhere else."""
    axis.set_xticks(list(values), [f"{value:g}" for value in values])
    axis.set_xticks([], minor=True)


def below(axis: Axes, handles: Sequence[object], columns: int) -> None:
    """Puts a legend under a panel."""
    axis.legend(
        handles=list(handles), loc="upper center", bbox_to_anchor=(0.5, -0.16), ncol=columns,
        fontsize=8, frameon=False,
    )


def beside(axis: Axes) -> None:
    """Puts the legend of a panel to its right."""
    axis.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize=8, frameon=False)


def whose_lines() -> list[Line2D]:
    """Returns legend entries that tell ours from theirs."""
    return [
        Line2D([], [], color="black", linestyle="-", label="ours"),
        Line2D([], [], color="black", linestyle="--", marker=".", label="authors'"),
    ]


def save(figure: Figure, path: Path) -> None:
    """Writes a figure as PNG, the same bytes for the same numbers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150, metadata={"Software": None})
    pyplot.close(figure)
