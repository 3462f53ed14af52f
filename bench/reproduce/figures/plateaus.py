"""Equilibrium values of two runs of the paper."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.reproduce import markdown, plotting, problems, targets
from bench.reproduce.estimates import Estimate, distance, estimate, limit
from bench.reproduce.figures import fig2
from bench.reproduce.jobs import Outcome, Request
from bench.reproduce.posteriorctl import Json, Posteriorctl

OPTIONS = ("seeds", "sweeps", "noisy_sweeps", "precision")
TITLE = "Plateaus"

NOISY_DELTA = 1e-4
NOISELESS_DELTA = 1e-2
_OBSERVABLES = (
    "test_error", "dense1.residual", "relu1.residual", "dense2.residual", "dense1.score",
    "dense2.score",
)


def _noisy(seed: int, options: argparse.Namespace) -> Request:
    spec = problems.reference(
        NOISY_DELTA, seed, options.noisy_sweeps, [problems.INFORMED],
        noiseless=False, precision=options.precision,
    )
    return Request(f"noisy plateau, seed {seed}", spec)


def plan(options: argparse.Namespace, program: Posteriorctl) -> dict[str, Request]:
    """Returns a noisy and a noiseless job per seed."""
    del program
    requests = {}
    for seed in range(1, options.seeds + 1):
        requests[f"noisy {seed}"] = _noisy(seed, options)
        requests[f"noiseless {seed}"] = fig2.request(
            "Gibbs", problems.INTERMEDIATE, NOISELESS_DELTA, seed, options
        )
    return requests


def evaluate(options: argparse.Namespace, outcomes: dict[str, Outcome]) -> Json:
    """Returns means over the second half of the sweeps, by seed."""
    seeds = range(1, options.seeds + 1)
    return {
        "seeds": options.seeds,
        "noisy_sweeps": options.noisy_sweeps,
        "noiseless_sweeps": options.sweeps,
        "noisy": {
            name: [outcomes[f"noisy {seed}"].mean(name, 0, 0.5) for seed in seeds]
            for name in _OBSERVABLES
        },
        "noiseless": {
            start: [outcomes[f"noiseless {seed}"].mean("test_error", chain, 0.5) for seed in seeds]
            for chain, start in enumerate(("informed", "zero"))
        },
    }


def scaled_log_density(residuals: tuple[float, float, float], delta: float) -> float:
    """Returns the authors' logP_resc from the mean squared noises over variance of the layers.

    It is Delta times minus half the sum of the squared noises over their variance.
    """
    first, activation, last = residuals
    return -0.5 * delta * problems.TRAIN_SAMPLES * (problems.HIDDEN * (first + activation) + last)


def _comparisons(findings: Json) -> list[tuple[str, Estimate, float, float]]:
    """Returns what is compared, ours, theirs and the error of theirs."""
    noisy = findings["noisy"]
    plateau = targets.of_run("fig1_plateaus", "fig1_informed")[0]
    test = estimate(noisy["test_error"])
    residuals = zip(noisy["dense1.residual"], noisy["relu1.residual"], noisy["dense2.residual"],
                    strict=True)
    density = estimate([scaled_log_density(each, NOISY_DELTA) for each in residuals])
    comparisons = [
        ("noisy, informed: test error", test, float(plateau["test_mse_mean"]), test.spread),
        ("noisy, informed: Delta · log density of the noise", density,
         float(plateau["logP_resc_mean"]), density.spread),
    ]
    for layer, place in (("dense1", "first"), ("dense2", "second")):
        score = estimate(noisy[f"{layer}.score"])
        comparisons.append((f"noisy, informed: score of the {place} layer", score, 0.0, 0.0))
    row = targets.noiseless("Gibbs", problems.INTERMEDIATE, NOISELESS_DELTA)
    assert row is not None
    theirs = float(row["equilibrium_test_mse_informed"]) / NOISELESS_DELTA
    error = targets.equilibrium_error(row) / NOISELESS_DELTA
    for start, values in findings["noiseless"].items():
        ours = estimate([value / NOISELESS_DELTA for value in values])
        comparisons.append((f"noiseless, {start}: test error / Delta", ours, theirs, error))
    return comparisons


def draw(findings: Json, path: Path) -> None:
    """Draws distances between ours and theirs."""
    comparisons = _comparisons(findings)
    figure, (axis,) = plotting.new_figure(width=8, height=3.2)
    allowed = limit(findings["seeds"])
    axis.axvspan(-allowed, allowed, color="#e8f2f8", label="what chance allows", zorder=0)
    axis.axvline(0, color="black", linestyle="--", linewidth=1, label="theirs")
    distances = [distance(ours, theirs, error) for _, ours, theirs, error in comparisons]
    axis.plot(distances, range(len(distances)), "o", color=plotting.COLOURS[0], label="ours")
    axis.set_yticks(range(len(comparisons)), [name for name, *_ in comparisons])
    axis.invert_yaxis()
    widest = max(5.0, 1.1 * max(abs(value) for value in distances))
    axis.set_xlim(-widest, widest)
    axis.set_xlabel("ours - theirs, in standard errors")
    plotting.beside(axis)
    plotting.save(figure, path)


def describe(findings: Json) -> str:
    """Returns the text of the table."""
    allowed = limit(findings["seeds"])
    rows, far = [], []
    for name, ours, theirs, error in _comparisons(findings):
        away = distance(ours, theirs, error)
        rows.append([name, markdown.with_error(ours.mean, ours.error),
                     markdown.with_error(theirs, error) if theirs else "0, exactly",
                     markdown.signed(away)])
        if abs(away) > allowed:
            far.append(name)
    agree = (
        f"Farther than chance allows ({allowed:.1f} errors): {'; '.join(far)}."
        if far
        else f"All are within the {allowed:.1f} errors that chance allows."
    )
    return f"""\
Means over the second half of the sweeps, then over
{markdown.counted(findings["seeds"], "teacher")}, with the standard error from their spread.

- *noisy*: Delta = {NOISY_DELTA:g} after every layer, labels with the same noise, informed start,
  {findings["noisy_sweeps"]:,} sweeps. Their number is of one teacher, so its error is taken to be
  our spread between teachers. The scores are zero at equilibrium.
- *noiseless*: Delta = {NOISELESS_DELTA:g}, labels without noise, {findings["noiseless_sweeps"]:,}
  sweeps. Theirs is the mean of informed chains of 72 seeds; chains from zero ought to end up there
  too.

{markdown.table(["", "ours", "theirs", "distance in errors"], rows)}

{agree}"""
