"""Do a chain from elsewhere and the informed chain of a job agree at its end? Two criteria."""

from __future__ import annotations

from collections.abc import Sequence

from bench.reproduce.jobs import Outcome
from bench.reproduce.posteriorctl import Json

# Largest relative distance between the test errors of chains that agree. Chains that failed sit
# several times above the informed one.
TOLERANCE = 0.2

THERMALIZED = "thermalized"
TOO_EARLY = "too early"
DISAGREES = "no agreement"


def criteria(effective_samples: int) -> str:
    """Returns what the two criteria are, when a verdict needs so many effective samples."""
    return f"""\
Two criteria say whether the chain that was not informed has thermalized:

- **close**: its test error, averaged over the last quarter of the sweeps, is within {TOLERANCE:.0%}
  of the informed chain's. It looks at one average and has no notion of error.
- **verdict**: the server's, at the end ([docs/thermalization.md](thermalization.md)). It wants
  proof of agreement that lasts, and {effective_samples} effective samples of each chain. A run that
  ended *too early* for that counts as not thermalized, so that short runs bound the share from
  below. *No agreement*: the chains were apart, or had not yet agreed for long enough."""


def is_close(ours: float, informed: float) -> bool:
    """Whether a test error is within the tolerance of the informed chain's."""
    return abs(ours / informed - 1) <= TOLERANCE


def last_quarters(outcome: Outcome) -> tuple[float, float]:
    """Returns the test errors of the informed chain, which is first, and of the other one."""
    return outcome.mean("test_error", 0, 0.25), outcome.mean("test_error", 1, 0.25)


def verdict(history: Sequence[Json]) -> str:
    """Returns what the server said in the end: THERMALIZED, TOO_EARLY or DISAGREES.

    The last evaluation calls everything "not thermalized" that is not; the one before says why.
    """
    prefix = "THERMALIZATION_STATE_"
    if history[-1]["state"] == prefix + "THERMALIZED":
        return THERMALIZED
    before = history[-2]["state"] if len(history) > 1 else prefix + "TOO_EARLY"
    return TOO_EARLY if before == prefix + "TOO_EARLY" else DISAGREES
