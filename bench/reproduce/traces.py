"""Traces of chains: parsing, windows, and means around a sweep."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Trace:
    """The observables of one chain, by sweep."""

    sweeps: np.ndarray
    values: dict[str, np.ndarray]

    def window(self, observable: str, after: float) -> np.ndarray:
        """Returns the values at sweeps later than `after`."""
        return self.values[observable][self.sweeps > after]

    def mean(self, observable: str, after: float) -> float:
        """Returns the mean over sweeps later than `after`."""
        return float(np.mean(self.window(observable, after)))

    def around(self, observable: str, sweep: float, share: float = 0.1) -> np.ndarray:
        """Returns the values at sweeps within `share` of `sweep`, which may be none."""
        near = np.abs(self.sweeps - sweep) <= share * sweep
        return self.values[observable][near]


def parse_traces(text: str) -> list[Trace]:
    """Returns the traces of all chains, by chain index, from the CSV of `posteriorctl job trace`.

    A sweep that is listed twice, as an even and as a logarithmic point, counts once.
    """
    reader = csv.reader(io.StringIO(text))
    names = next(reader)[2:]
    rows: dict[int, dict[int, list[float]]] = {}
    for row in reader:
        rows.setdefault(int(row[0]), {})[int(row[1])] = [float(value) for value in row[2:]]
    traces = []
    for chain in sorted(rows):
        sweeps = sorted(rows[chain])
        table = np.array([rows[chain][sweep] for sweep in sweeps])
        values = {name: table[:, column] for column, name in enumerate(names)}
        traces.append(Trace(np.array(sweeps), values))
    return traces


def log_curve(dense: Trace, spaced: Trace, observable: str) -> tuple[list[int], list[float]]:
    """Returns sweeps spaced by equal ratios and the means of the observable within 10 % of them.

    `dense` holds all points and `spaced` those of equal ratios. Sweep 0 is left out.
    """
    sweeps = [int(sweep) for sweep in spaced.sweeps if sweep > 0]
    means = [float(np.mean(dense.around(observable, sweep))) for sweep in sweeps]
    return sweeps, means
