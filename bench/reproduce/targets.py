"""The authors' numbers, read from targets/*.csv."""

from __future__ import annotations

import csv
import math
from functools import cache
from pathlib import Path

from bench.reproduce.estimates import Share, share

Row = dict[str, str]
FOLDER = Path(__file__).parent / "targets"


@cache
def rows(name: str) -> list[Row]:
    """Returns the lines of targets/<name>.csv."""
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def of_run(name: str, run: str) -> list[Row]:
    """Returns the lines of one run."""
    return [row for row in rows(name) if row["run"] == run]


def column(table: list[Row], name: str) -> list[float]:
    """Returns a column as numbers."""
    return [float(row[name]) for row in table]


def noiseless(sampler: str, posterior: str, delta: float) -> Row | None:
    """Returns their result for a sampler on noise-free labels; None when they have no such run."""
    for row in rows("gibbs_noiseless_teacher") + rows("hmc_mala_noiseless_teacher"):
        same = (row["sampler"], row["posterior"]) == (sampler, posterior)
        if same and math.isclose(float(row["Delta"]), delta, rel_tol=1e-3):
            return row
    return None


def thermalized(row: Row) -> Share:
    """Returns how many of their runs thermalized."""
    return share(int(row["thermalized"]), int(row["total_runs"]))


def equilibrium_error(row: Row) -> float:
    """Returns the standard error of their equilibrium test error over seeds."""
    value = float(row["equilibrium_test_mse_informed"])
    spread = float(row["std"]) if row["std"] else spread_between_teachers() * value
    return spread / math.sqrt(int(row["total_runs"]))


def spread_between_teachers() -> float:
    """Returns by how much the test error differs between teachers in their runs, relative to it."""
    row = rows("gibbs_noiseless_teacher")[-1]
    return float(row["std"]) / float(row["equilibrium_test_mse_informed"])
