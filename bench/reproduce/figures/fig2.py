"""Figure 2: how well Gibbs, HMC and MALA thermalize, labels without noise."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from bench.reproduce import markdown, plotting, problems, targets
from bench.reproduce.estimates import Share, distance, estimate, limit, share
from bench.reproduce.figures import agreement
from bench.reproduce.jobs import Outcome, Request
from bench.reproduce.posteriorctl import Json, Posteriorctl

OPTIONS = (
    "seeds", "sweeps", "gradient_steps", "deltas", "samplers", "effective_samples", "precision",
)
TITLE = "Figure 2: samplers compared"

# Sampler and posterior, and what a step costs, in Gibbs sweeps.
METHODS = {
    ("Gibbs", problems.INTERMEDIATE): 1.0,
    ("HMC", problems.INTERMEDIATE): 3.0,
    ("HMC", problems.CLASSICAL): 2.0,
    ("MALA", problems.CLASSICAL): 0.5,
}

# Theirs are drawn so much to the right of ours.
BESIDE = 1.025


def request(
    sampler: str, posterior: str, delta: float, seed: int, options: argparse.Namespace
) -> Request:
    """Returns a job with a chain from the teacher and one from zero."""
    sweeps = options.sweeps if sampler == "Gibbs" else options.gradient_steps
    spec = problems.reference(
        delta, seed, sweeps, [problems.INFORMED, problems.ZERO],
        noiseless=True, precision=options.precision, posterior=posterior,
        sampler={sampler.lower(): {}},
        thermalization={"observables": ["test_error"],
                        "min_effective_sample_size": options.effective_samples},
    )
    title = f"{sampler}, {posterior} posterior, Delta = {delta:g}, seed {seed}"
    return Request(title, spec, METHODS[sampler, posterior])


def _cases(options: argparse.Namespace) -> list[tuple[str, str, float]]:
    return [
        (sampler, posterior, delta)
        for sampler, posterior in METHODS
        if sampler.lower() in options.samplers
        for delta in options.deltas
    ]


def _key(sampler: str, posterior: str, delta: float, seed: int) -> str:
    return f"{sampler} {posterior} {delta:g} {seed}"


def plan(options: argparse.Namespace, program: Posteriorctl) -> dict[str, Request]:
    """Returns one job per method, noise and seed."""
    del program
    return {
        _key(*case, seed): request(*case, seed, options)
        for case in _cases(options)
        for seed in range(1, options.seeds + 1)
    }


def evaluate(options: argparse.Namespace, outcomes: dict[str, Outcome]) -> Json:
    """Returns, per method and noise, the numbers of every seed."""
    cases = []
    for case in _cases(options):
        runs = []
        for seed in range(1, options.seeds + 1):
            outcome = outcomes[_key(*case, seed)]
            informed, zero = agreement.last_quarters(outcome)
            runs.append({
                "equilibrium": outcome.mean("test_error", 0, 0.5),
                "informed": informed,
                "zero": zero,
                "verdict": agreement.verdict(outcome.diagnostics),
            })
        cases.append({"sampler": case[0], "posterior": case[1], "delta": case[2], "runs": runs})
    return {
        "cases": cases,
        "seeds": options.seeds,
        "sweeps": options.sweeps,
        "gradient_steps": options.gradient_steps,
        "effective_samples": options.effective_samples,
    }


def _close(case: Json) -> Share:
    runs = case["runs"]
    return share(sum(agreement.is_close(run["zero"], run["informed"]) for run in runs), len(runs))


def _verdict(case: Json) -> Share:
    runs = case["runs"]
    return share(sum(run["verdict"] == agreement.THERMALIZED for run in runs), len(runs))


def _method(case: Json) -> str:
    return f"{case['sampler']}, {case['posterior']}"


def _target(case: Json) -> targets.Row | None:
    return targets.noiseless(case["sampler"], case["posterior"], case["delta"])


def _bars(shares: list[Share]) -> np.ndarray:
    return np.array([[s.value - s.low for s in shares], [s.high - s.value for s in shares]])


def _draw_errors(axis: Axes, cases: list[Json], colour: str, shift: float) -> None:
    deltas = np.array([case["delta"] for case in cases])
    ours = [
        estimate([run["equilibrium"] / case["delta"] for run in case["runs"]]) for case in cases
    ]
    axis.errorbar(deltas * shift, [e.mean for e in ours], [e.error for e in ours], color=colour,
                  marker="o", markersize=5, capsize=3)
    known = [(case["delta"], row) for case in cases if (row := _target(case))]
    if known:
        axis.errorbar([delta * shift * BESIDE for delta, _ in known],
                      [float(row["equilibrium_test_mse_informed"]) / delta for delta, row in known],
                      [targets.equilibrium_error(row) / delta for delta, row in known],
                      color=colour, marker="x", linestyle="--", capsize=3, linewidth=1)


def _draw_shares(axis: Axes, cases: list[Json], colour: str, shift: float) -> None:
    deltas = np.array([case["delta"] for case in cases])
    close = [_close(case) for case in cases]
    axis.errorbar(deltas * shift, [s.value for s in close], _bars(close), color=colour, marker="o",
                  markersize=5, capsize=3)
    axis.plot(deltas * shift, [_verdict(case).value for case in cases], color=colour, marker="v",
              markersize=6, markerfacecolor="white", linestyle="none")
    known = [(case["delta"], targets.thermalized(row)) for case in cases if (row := _target(case))]
    if known:
        axis.errorbar([delta * shift * BESIDE for delta, _ in known], [s.value for _, s in known],
                      _bars([s for _, s in known]), color=colour, marker="x", linestyle="--",
                      capsize=3, linewidth=1)


def draw(findings: Json, path: Path) -> None:
    """Draws equilibrium test errors, and shares of runs that thermalized."""
    figure, (left, right) = plotting.new_figure(2, width=6, height=4.8)
    methods: dict[str, list[Json]] = {}
    for case in sorted(findings["cases"], key=lambda case: case["delta"]):
        methods.setdefault(_method(case), []).append(case)
    handles = plotting.whose_lines()
    handles[1].set_marker("x")
    for index, (method, cases) in enumerate(methods.items()):
        colour = plotting.COLOURS[index]
        shift = 1.07 ** (index - (len(methods) - 1) / 2)  # so that points do not hide each other
        _draw_errors(left, cases, colour, shift)
        _draw_shares(right, cases, colour, shift)
        handles.append(Line2D([], [], color=colour, linewidth=3, label=method))
    left.set_xscale("log")
    left.set_ylim(bottom=0)
    left.set_ylabel("equilibrium test error (mean squared) / Delta")
    left.set_title("Informed chains")
    right.set_xscale("log")
    right.set_ylabel("share of runs thermalized, 95 % intervals")
    right.set_ylim(-0.05, 1.05)
    right.set_title("Chains from zero")
    deltas = sorted({case["delta"] for case in findings["cases"]})
    for axis in (left, right):
        axis.set_xlabel("noise variance Delta")
        plotting.label_ticks(axis, deltas)
    plotting.below(left, handles, 3)
    markers = [
        Line2D([], [], color="black", marker="o", label="ours, close"),
        Line2D([], [], color="black", marker="v", markerfacecolor="white", linestyle="none",
               label="ours, server's verdict (a lower bound)"),
        Line2D([], [], color="black", marker="x", linestyle="--", label="authors'"),
    ]
    plotting.below(right, markers, 2)
    plotting.save(figure, path)


def _errors_table(cases: list[Json]) -> tuple[str, list[float]]:
    rows, distances = [], []
    for case in cases:
        ours = estimate([run["equilibrium"] for run in case["runs"]])
        row = [_method(case), f"{case['delta']:g}", markdown.with_error(ours.mean, ours.error)]
        target = _target(case)
        if target:
            theirs = float(target["equilibrium_test_mse_informed"])
            error = targets.equilibrium_error(target)
            distances.append(distance(ours, theirs, error))
            row += [markdown.with_error(theirs, error), markdown.signed(distances[-1])]
        else:
            row += ["–", "–"]
        rows.append(row)
    header = ["sampler, posterior", "Delta", "ours", "theirs", "distance in errors"]
    return markdown.table(header, rows), distances


def _share_text(value: Share) -> str:
    return f"{value.count} of {value.runs} ({value.low:.2f}–{value.high:.2f})"


def _shares_table(cases: list[Json]) -> str:
    rows = []
    for case in cases:
        target = _target(case)
        verdicts = Counter(run["verdict"] for run in case["runs"])
        rows.append([
            _method(case), f"{case['delta']:g}",
            _share_text(_close(case)), _share_text(_verdict(case)),
            str(verdicts[agreement.TOO_EARLY]), str(verdicts[agreement.DISAGREES]),
            _share_text(targets.thermalized(target)) if target else "–",
        ])
    header = ["sampler, posterior", "Delta", "close", "verdict: thermalized", "too early",
              "no agreement", "theirs"]
    return markdown.table(header, rows)


def _compared_shares(cases: list[Json]) -> str:
    same, above, under = [], [], []
    for case in cases:
        target = _target(case)
        if not target:
            continue
        ours, theirs = _close(case), targets.thermalized(target)
        where = same if ours.overlaps(theirs) else above if ours.value > theirs.value else under
        where.append(f"{_method(case)} at {case['delta']:g}")
    overlap = "By *close*, our share and theirs have overlapping intervals"
    if same and not above and not under:
        return f"{overlap} in every line that both have."
    parts = []
    if same:
        parts.append(f"{overlap} for {markdown.listed(same)}.")
    if above:
        parts.append(f"Ours is larger for {markdown.listed(above)}.")
    if under:
        parts.append(f"Ours is smaller for {markdown.listed(under)}.")
    return " ".join(parts)


def describe(findings: Json) -> str:
    """Returns the text of the figure."""
    cases = findings["cases"]
    errors, distances = _errors_table(cases)
    allowed = limit(findings["seeds"])
    far = sum(abs(value) > allowed for value in distances)
    if not distances:
        agree = "The authors have no run at any of these."
    elif far:
        agree = (f"{far} of {len(distances)} are farther from theirs than the {allowed:.1f} errors "
                 "that chance allows.")
    else:
        agree = f"All are within the {allowed:.1f} errors that chance allows."
    return f"""\
{markdown.counted(findings["seeds"], "teacher")} per line, labels without noise, one informed chain
and one from zero each: {findings["sweeps"]:,} Gibbs sweeps, or {findings["gradient_steps"]:,} steps
of HMC (10 leapfrog steps each) and MALA. Theirs: 72 runs per line, 2,500,000 Gibbs sweeps. Our HMC
and MALA adapt step size and mass matrix in the first half of the run, theirs have fixed step sizes.
On the intermediate-noise posterior Delta is the variance after every layer, on the classical one
that of the output alone.

Equilibrium test error, the informed chain's mean over the second half of the sweeps (where the
authors give no spread between runs, the relative one of their Gibbs runs at the smallest noise is
taken):

{errors}

{agree} A mean over the second half is no equilibrium value when the run is too short: then it is
biased towards the teacher, that is, down.

{agreement.criteria(findings["effective_samples"])}

Here the verdict is on the test error alone. Counts with 95 % Wilson intervals:

{_shares_table(cases)}

{_compared_shares(cases)}"""
