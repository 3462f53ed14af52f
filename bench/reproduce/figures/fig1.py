"""Figure 1: test error of chains from four starts, labels with the model's own noise."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from matplotlib.lines import Line2D

from bench.reproduce import markdown, plotting, problems, targets
from bench.reproduce.figures import agreement
from bench.reproduce.jobs import Outcome, Request
from bench.reproduce.posteriorctl import Json, Posteriorctl
from bench.reproduce.traces import log_curve

OPTIONS = ("sweeps", "precision")
TITLE = "Figure 1: approach to equilibrium"

DELTA = 1e-4
# By chain: our name and theirs.
CHAINS = {
    "informed": "fig1_informed",
    "zero": "fig1_zero",
    "prior, first": "fig1_random2",
    "prior, second": "fig1_random3",
}


def four_starts(delta: float, options: argparse.Namespace) -> Request:
    """Returns a job with chains from the teacher, from zero and two from the prior."""
    groups = [problems.INFORMED, problems.ZERO, problems.prior_start(2)]
    return Request(
        f"four starts, Delta = {delta:g}",
        problems.reference(
            delta, 1, options.sweeps, groups, noiseless=False, precision=options.precision
        ),
    )


def plan(options: argparse.Namespace, program: Posteriorctl) -> dict[str, Request]:
    """Returns the one job of the figure."""
    del program
    return {"chains": four_starts(DELTA, options)}


def meeting(sweeps: list[int], chain: list[float], informed: list[float]) -> int | None:
    """Returns the sweep from which on a chain stays close to the informed one, if it does."""
    since = None
    for sweep, value, reference in zip(sweeps, chain, informed, strict=True):
        if not agreement.is_close(value, reference):
            since = None
        elif since is None:
            since = sweep
    return since


def their_curve(name: str) -> tuple[list[int], list[float]]:
    """Returns sweeps and test errors of one of the authors' chains, without sweep 0."""
    rows = [row for row in targets.of_run("fig1_trajectories", name) if int(row["t"]) > 0]
    return [int(row["t"]) for row in rows], targets.column(rows, "test_mse_mean")


def evaluate(options: argparse.Namespace, outcomes: dict[str, Outcome]) -> Json:
    """Returns the curves and the means over their last halves."""
    del options
    outcome = outcomes["chains"]
    chains = {}
    for index, name in enumerate(CHAINS):
        sweeps, errors = log_curve(outcome.dense[index], outcome.spaced[index], "test_error")
        chains[name] = {
            "sweeps": sweeps,
            "test_error": errors,
            "last_half": outcome.mean("test_error", index, 0.5),
        }
    return {"sweeps": outcome.sweeps, "chains": chains}


def draw(findings: Json, path: Path) -> None:
    """Draws our curves and theirs."""
    figure, (axis,) = plotting.new_figure(width=7, height=5)
    handles = plotting.whose_lines()
    for colour, (name, theirs) in zip(plotting.COLOURS, CHAINS.items(), strict=False):
        chain = findings["chains"][name]
        axis.loglog(chain["sweeps"], chain["test_error"], color=colour, linewidth=1.6)
        axis.loglog(*their_curve(theirs), color=colour, linestyle="--", marker=".", linewidth=1,
                    alpha=0.8)
        handles.append(Line2D([], [], color=colour, linewidth=3, label=name))
    axis.set_xlabel("sweeps")
    axis.set_ylabel("test error (mean squared)")
    axis.set_title(f"Gibbs, labels with noise, Delta = {DELTA:g}")
    plotting.below(axis, handles, 6)
    plotting.save(figure, path)


def _plateaus(findings: Json) -> dict[str, tuple[float, float]]:
    """Returns our and their test error at the end, by chain."""
    theirs = {row["run"]: float(row["test_mse_mean"]) for row in targets.rows("fig1_plateaus")}
    return {
        name: (findings["chains"][name]["last_half"], theirs[run]) for name, run in CHAINS.items()
    }


def _meeting_text(findings: Json) -> str:
    """Returns, in words, when the chain from zero meets the informed one."""
    zero, informed = findings["chains"]["zero"], findings["chains"]["informed"]
    ours = meeting(zero["sweeps"], zero["test_error"], informed["test_error"])
    theirs = meeting(*their_curve("fig1_zero"), their_curve("fig1_informed")[1])
    close = f"within {agreement.TOLERANCE:.0%} of the informed one"
    found = (
        f"stays {close} from sweep {ours:,} on"
        if ours
        else f"does not stay {close} in {findings['sweeps']:,} sweeps"
    )
    return f"The chain from zero {found}; theirs does from sweep {theirs:,} on, at their points."


def _prior_text(plateaus: dict[str, tuple[float, float]]) -> str:
    """Returns, in words, how far the chains from the prior are from the informed one."""
    informed = plateaus["informed"]
    names = [name for name in CHAINS if name.startswith("prior")]
    ours = [plateaus[name][0] / informed[0] for name in names]
    theirs = [plateaus[name][1] / informed[1] for name in names]
    away = sum(abs(ratio - 1) > agreement.TOLERANCE for ratio in ours)
    return (
        f"Of our two chains from the prior, {away} ended away from the informed one: their test "
        f"errors are {markdown.listed([markdown.number(ratio) for ratio in ours])} times its own. "
        f"The authors' are at {markdown.listed([markdown.number(ratio) for ratio in theirs])} times."
    )


def describe(findings: Json) -> str:
    """Returns the text of the figure."""
    plateaus = _plateaus(findings)
    ours, theirs = plateaus["informed"]
    spread = targets.spread_between_teachers()
    distance = (ours / theirs - 1) / (math.sqrt(2) * spread)
    rows = [
        [name, markdown.number(ours), markdown.number(theirs), markdown.number(ours / theirs)]
        for name, (ours, theirs) in plateaus.items()
    ]
    return f"""\
One teacher, {findings["sweeps"]:,} sweeps of each chain (theirs: 2,000,000, of another teacher).
Delta = {DELTA:g} after every layer, labels with the same noise. Curves are means over the sweeps
within 10 % of a point.

Test error, mean over the second half of the sweeps (theirs: over the second million, so that chains
which are still on their way need not agree):

{markdown.table(["start", "ours", "theirs", "ratio"], rows)}

The informed chain is {markdown.signed(distance)} standard deviations from theirs, with the spread
between teachers of {spread:.0%} that their own runs show:
{"no more" if abs(distance) <= 2 else "more"} than chance allows. {_meeting_text(findings)}
{_prior_text(plateaus)}"""
