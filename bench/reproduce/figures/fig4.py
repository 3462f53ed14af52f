"""Figure 4: R-hat of a job that thermalizes and of one that does not."""

from __future__ import annotations

import argparse
from pathlib import Path

from matplotlib.ticker import NullFormatter, ScalarFormatter

from bench.reproduce import markdown, plotting
from bench.reproduce.figures import agreement, fig1
from bench.reproduce.jobs import Outcome, Request
from bench.reproduce.posteriorctl import Json, Posteriorctl

OPTIONS = ("sweeps", "precision")
TITLE = "Figure 4: R-hat"

DELTAS = (1e-2, 1e-4)
OBSERVABLES = ("test_error", "log_posterior", "dense1.weight_norm", "dense2.weight_norm",
               "probe0.output0", "dense1.score", "dense2.score")
THRESHOLD = 1.1


def plan(options: argparse.Namespace, program: Posteriorctl) -> dict[str, Request]:
    """Returns a job per noise."""
    del program
    return {f"{delta:g}": fig1.four_starts(delta, options) for delta in DELTAS}


def _history(evaluations: list[Json], name: str) -> Json:
    """Returns sweeps and R-hats of an observable."""
    sweeps, values = [], []
    for evaluation in evaluations:
        for observable in evaluation["observables"]:
            if observable["name"] == name and "split_rhat" in observable:
                sweeps.append(int(evaluation["sweep"]))
                values.append(float(observable["split_rhat"]))
    return {"sweeps": sweeps, "rhat": values}


def evaluate(options: argparse.Namespace, outcomes: dict[str, Outcome]) -> Json:
    """Returns the history of R-hat and the verdict, by noise."""
    jobs = []
    for delta in DELTAS:
        evaluations = outcomes[f"{delta:g}"].diagnostics
        jobs.append({
            "delta": delta,
            "verdict": agreement.verdict(evaluations),
            "since": int(evaluations[-1].get("thermalized_since_sweep", 0)),
            "rhat": {name: _history(evaluations, name) for name in OBSERVABLES},
        })
    return {"sweeps": options.sweeps, "jobs": jobs}


def draw(findings: Json, path: Path) -> None:
    """Draws R-hat against sweeps, a panel per noise."""
    figure, axes = plotting.new_figure(len(DELTAS), width=6, height=4.2)
    top = 1.5
    for axis, job in zip(axes, findings["jobs"], strict=True):
        for colour, (name, history) in zip(plotting.COLOURS, job["rhat"].items(), strict=False):
            # R-hat may fall a little short of 1 by chance.
            axis.loglog(history["sweeps"], history["rhat"], color=colour, label=name)
            later = [r for s, r in zip(history["sweeps"], history["rhat"], strict=True) if s >= 10]
            top = max([top, *later])
        axis.axhline(THRESHOLD, color="black", linewidth=1, linestyle=":",
                     label=f"R-hat = {THRESHOLD}")
        thermalized = job["verdict"] == agreement.THERMALIZED
        verdict = agreement.THERMALIZED if thermalized else f"not {agreement.THERMALIZED}"
        axis.set_title(f"Delta = {job['delta']:g}; server: {verdict}")
        axis.set_xlabel("sweeps")
        axis.set_ylabel("split R-hat of the four chains")
    ticks = [tick for tick in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10000) if tick <= top]
    for axis in axes:
        axis.set_xlim(10, findings["sweeps"])
        axis.set_ylim(0.95, 1.2 * top)
        axis.set_yticks(ticks)
        axis.yaxis.set_major_formatter(ScalarFormatter())
        axis.yaxis.set_minor_formatter(NullFormatter())
    plotting.beside(axes[-1])
    plotting.save(figure, path)


def below_threshold_since(history: Json) -> int | None:
    """Returns the sweep from which on R-hat stays below the threshold; None if it does not."""
    since = None
    for sweep, value in zip(history["sweeps"], history["rhat"], strict=True):
        if value >= THRESHOLD:
            since = None
        elif since is None:
            since = sweep
    return since


def _cell(history: Json) -> str:
    since = below_threshold_since(history)
    last = history["rhat"][-1]
    return f"{last:.3g}, " + (f"from {since:,} on" if since else "never")


def describe(findings: Json) -> str:
    """Returns the text of the figure."""
    jobs = findings["jobs"]
    rows = [[f"`{name}`", *(_cell(job["rhat"][name]) for job in jobs)] for name in OBSERVABLES]
    header = ["observable", *(f"Delta = {job['delta']:g}" for job in jobs)]
    words = []
    for job in jobs:
        low = [name for name in OBSERVABLES if below_threshold_since(job["rhat"][name])]
        said = (
            f"thermalized since sweep {job['since']:,}"
            if job["verdict"] == agreement.THERMALIZED
            else f"not thermalized ({job['verdict']})"
        )
        missing = [f"`{name}`" for name in low]
        words.append(
            f"At Delta = {job['delta']:g} the server's verdict is: {said}; R-hat ends below "
            f"{THRESHOLD} for {len(low)} of {len(OBSERVABLES)} observables"
            + (f", {markdown.listed(missing)}." if 0 < len(low) < len(OBSERVABLES) else ".")
        )
    return f"""\
Four chains (informed, zero, two from the prior), labels with the model's noise,
{findings["sweeps"]:,} sweeps, one teacher, at a noise where chains are expected to thermalize and
at one where they are not. R-hat is that of the server's diagnostics: over the second half of the
sweeps so far, of all four chains. (The job at Delta = {fig1.DELTA:g} is that of figure 1. The
authors' R-hats are not among their result files, so there is nothing to compare with.)

R-hat at the end, and since when it has been below {THRESHOLD}:

{markdown.table(header, rows)}

{" ".join(words)} An observable whose R-hat is small although the chains are apart, as the score of
the first layer may be, cannot serve as a test."""
