"""Means with errors, shares with intervals, and how far two of them are apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Estimate:
    """A mean over independent runs. With a single run spread and error are nan."""

    mean: float
    spread: float  # standard deviation between runs
    error: float  # standard error of the mean
    count: int


def estimate(values: Sequence[float]) -> Estimate:
    """Returns the mean of independent values and its error."""
    count = len(values)
    spread = float(np.std(values, ddof=1)) if count > 1 else math.nan
    return Estimate(float(np.mean(values)), spread, spread / math.sqrt(count), count)


def distance(ours: Estimate, theirs: float, their_error: float) -> float:
    """Returns ours minus theirs in standard errors of the difference."""
    return (ours.mean - theirs) / math.hypot(ours.error, their_error)


def limit(count: int) -> float:
    """Returns the distance in errors that a mean of so many runs exceeds by chance in 0.3 %.

    It is 3 for many runs, and more for few because their spread is not well known (Student's t).
    """
    tail = float(stats.norm.sf(3))
    return float(stats.t.isf(tail, count - 1))


@dataclass(frozen=True)
class Share:
    """How many of several runs did something, with a Wilson interval of 95 %."""

    count: int
    runs: int
    value: float
    low: float
    high: float

    def overlaps(self, other: Share) -> bool:
        """Whether the intervals of both have a point in common."""
        return self.low <= other.high and other.low <= self.high


def share(count: int, runs: int) -> Share:
    """Returns count / runs with its Wilson interval."""
    interval = stats.binomtest(count, runs).proportion_ci(method="wilson")
    return Share(count, runs, count / runs, float(interval.low), float(interval.high))
