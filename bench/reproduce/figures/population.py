"""Beyond the paper: population starts, and moves with the hidden activations integrated out."""

from __future__ import annotations

import argparse
import math
from collections import Counter
from pathlib import Path

import numpy as np
from matplotlib.lines import Line2D

from bench.reproduce import markdown, plotting, problems
from bench.reproduce.estimates import Share, share
from bench.reproduce.figures import agreement
from bench.reproduce.jobs import Outcome, Request
from bench.reproduce.posteriorctl import Json, Posteriorctl

OPTIONS = ("population_teachers", "population_sweeps", "population_deltas", "effective_samples",
           "precision")
TITLE = "Beyond the paper: population starts and collapsed moves"

MEMBERS = 8
PLAIN = "zero start, plain sweeps"
POPULATION = "population start, then collapsed moves"
MOVES = ("plain", "collapsed")
OBSERVABLES = ("dense1.weight_norm", "test_error")
# An autocorrelation time that rests on fewer effective samples is a lower bound at best.
ENOUGH_SAMPLES = 100


def round_sweeps(sweeps: int) -> int:
    """Returns the sweeps of each member in each round, when chains make `sweeps` in all."""
    return max(2, sweeps // 25)


def switch_sweep(sweeps: int) -> int:
    """Returns the sweep from which on moves are collapsed: the population has ended by then."""
    return 3 * sweeps // 5


def _spec(delta: float, teacher: int, groups: list[Json], collapsed_from: int,
          options: argparse.Namespace) -> Json:
    sampler = {"gibbs": {"collapsed_from_sweep": collapsed_from}} if collapsed_from else None
    spec = problems.reference(
        delta, teacher, options.population_sweeps, groups, noiseless=True,
        precision=options.precision, sampler=sampler,
        thermalization={"min_effective_sample_size": options.effective_samples},
    )
    spec["schedule"] = problems.schedule(
        options.population_sweeps, warmup=switch_sweep(options.population_sweeps)
    )
    return spec


def _start_request(start: str, delta: float, teacher: int, options: argparse.Namespace) -> Request:
    sweeps = options.population_sweeps
    if start == PLAIN:
        spec = _spec(delta, teacher, [problems.INFORMED, problems.ZERO], 0, options)
    else:
        groups = [problems.INFORMED, problems.population_start(MEMBERS, round_sweeps(sweeps))]
        spec = _spec(delta, teacher, groups, switch_sweep(sweeps), options)
    return Request(f"{start}, Delta = {delta:g}, teacher {teacher}", spec)


def _moves_request(moves: str, delta: float, options: argparse.Namespace) -> Request:
    collapsed_from = switch_sweep(options.population_sweeps) if moves == "collapsed" else 0
    spec = _spec(delta, 1, [problems.INFORMED | {"chains": 2}], collapsed_from, options)
    # Collapsed moves forget within few sweeps, which only closely spaced points show.
    points = 16
    while 8 * points < options.population_sweeps:
        points *= 2
    spec["observation"] = {"max_points": max(points, 1024)}
    return Request(f"{moves} moves at equilibrium, Delta = {delta:g}", spec)


def plan(options: argparse.Namespace, program: Posteriorctl) -> dict[str, Request]:
    """Returns a job per start, noise and teacher, and one per kind of move and noise."""
    del program
    requests = {}
    for delta in options.population_deltas:
        for moves in MOVES:
            requests[f"{moves} {delta:g}"] = _moves_request(moves, delta, options)
        for teacher in range(1, options.population_teachers + 1):
            for start in (PLAIN, POPULATION):
                key = f"{start} {delta:g} {teacher}"
                requests[key] = _start_request(start, delta, teacher, options)
    return requests


def _run(outcome: Outcome) -> Json:
    informed, other = agreement.last_quarters(outcome)
    return {"informed": informed, "other": other, "verdict": agreement.verdict(outcome.diagnostics)}


def _autocorrelation(outcome: Outcome) -> Json:
    found = {}
    for name in OBSERVABLES:
        statistics = outcome.summary[name]
        found[name] = {
            "sweeps": statistics.get("autocorrelation_time"),
            "effective_samples": statistics.get("bulk_effective_sample_size"),
        }
    return {"observables": found, "seconds_per_sweep": outcome.seconds_per_sweep(0)}


def evaluate(options: argparse.Namespace, outcomes: dict[str, Outcome]) -> Json:
    """Returns what became of every run, and autocorrelation times."""
    teachers = range(1, options.population_teachers + 1)
    return {
        "teachers": options.population_teachers,
        "sweeps": options.population_sweeps,
        "effective_samples": options.effective_samples,
        "deltas": [
            {
                "delta": delta,
                "starts": {
                    start: [_run(outcomes[f"{start} {delta:g} {teacher}"]) for teacher in teachers]
                    for start in (PLAIN, POPULATION)
                },
                "moves": {
                    moves: _autocorrelation(outcomes[f"{moves} {delta:g}"]) for moves in MOVES
                },
            }
            for delta in options.population_deltas
        ],
    }


def _close(runs: list[Json]) -> Share:
    return share(sum(agreement.is_close(run["other"], run["informed"]) for run in runs), len(runs))


def _verdict(runs: list[Json]) -> Share:
    return share(sum(run["verdict"] == agreement.THERMALIZED for run in runs), len(runs))


def _is_known(found: Json) -> bool:
    """Whether an autocorrelation time rests on enough samples to be more than a lower bound."""
    return (found["effective_samples"] or 0) >= ENOUGH_SAMPLES


def _sorted(findings: Json) -> list[Json]:
    return sorted(findings["deltas"], key=lambda entry: entry["delta"])


def draw(findings: Json, path: Path) -> None:
    """Draws shares of runs that thermalized, and autocorrelation times."""
    figure, (left, right) = plotting.new_figure(2, width=5.8, height=4.6)
    entries = _sorted(findings)
    deltas = np.array([entry["delta"] for entry in entries])
    handles = []
    for index, start in enumerate((PLAIN, POPULATION)):
        colour = plotting.COLOURS[index]
        place = deltas * 1.08 ** (index - 0.5)
        close = [_close(entry["starts"][start]) for entry in entries]
        errors = np.array([[s.value - s.low for s in close], [s.high - s.value for s in close]])
        left.errorbar(place, [s.value for s in close], errors, color=colour, marker="o", capsize=3)
        verdicts = [_verdict(entry["starts"][start]).value for entry in entries]
        left.plot(place, verdicts, color=colour, marker="v", markerfacecolor="white",
                  linestyle="none")
        handles.append(Line2D([], [], color=colour, marker="o", label=start))
    handles.append(Line2D([], [], color="black", marker="v", markerfacecolor="white",
                          linestyle="none", label="server's verdict (a lower bound)"))
    left.set_ylim(-0.05, 1.05)
    left.set_ylabel("share of runs close, 95 % intervals")
    left.set_title("Chains that reach equilibrium")
    for index, moves in enumerate(MOVES):
        for marker, name in zip("os", OBSERVABLES, strict=True):
            found = [entry["moves"][moves]["observables"][name] for entry in entries]
            times = [each["sweeps"] or np.nan for each in found]
            colour = plotting.COLOURS[index]
            right.plot(deltas, times, color=colour, marker=marker, label=f"{moves} moves, {name}")
            bounds = np.array([not _is_known(each) for each in found])
            right.plot(deltas[bounds], np.array(times)[bounds], color=colour, marker=marker,
                       markerfacecolor="white", linestyle="none")
    right.set_yscale("log")
    right.set_ylabel("autocorrelation time, sweeps")
    right.set_title("Chains at equilibrium")
    for axis in (left, right):
        axis.set_xscale("log")
        axis.set_xlabel("noise variance Delta")
        plotting.label_ticks(axis, list(deltas))
    plotting.below(left, handles, 1)
    hollow = Line2D([], [], color="black", marker="o", markerfacecolor="white", linestyle="none",
                    label="a lower bound")
    plotting.below(right, [*right.get_legend_handles_labels()[0], hollow], 2)
    plotting.save(figure, path)


def _share_text(value: Share) -> str:
    return f"{value.count} of {value.runs} ({value.low:.2f}–{value.high:.2f})"


def _starts_table(entries: list[Json]) -> str:
    rows = []
    for entry in entries:
        for start, runs in entry["starts"].items():
            verdicts = Counter(run["verdict"] for run in runs)
            rows.append([start, f"{entry['delta']:g}", _share_text(_close(runs)),
                         _share_text(_verdict(runs)), str(verdicts[agreement.TOO_EARLY]),
                         str(verdicts[agreement.DISAGREES])])
    header = ["start", "Delta", "close", "verdict: thermalized", "too early", "no agreement"]
    return markdown.table(header, rows)


def _compared_starts(entries: list[Json]) -> str:
    words = []
    for entry in entries:
        plain, population = (_close(entry["starts"][start]) for start in (PLAIN, POPULATION))
        if plain.overlaps(population):
            found = "cannot be told apart (their intervals overlap)"
        elif population.value > plain.value:
            found = "differ, in favour of the population"
        else:
            found = "differ, in favour of the plain start"
        words.append(f"at Delta = {entry['delta']:g} the shares by *close*, {plain.value:.2f} plain "
                     f"and {population.value:.2f} with a population, {found}")
    text = "; ".join(words) + "."
    return text[0].upper() + text[1:]


def _moves_table(entries: list[Json]) -> str:
    rows = []
    for entry in entries:
        for name in OBSERVABLES:
            for moves in MOVES:
                found = entry["moves"][moves]
                each = found["observables"][name]
                row = [f"`{name}`", f"{entry['delta']:g}", moves]
                if each["sweeps"] is None:
                    rows.append([*row, "–", "–", "–"])
                    continue
                bound = "" if _is_known(each) else "≥ "
                seconds = each["sweeps"] * found["seconds_per_sweep"]
                rows.append([*row, bound + markdown.number(each["sweeps"]),
                             bound + markdown.number(seconds),
                             markdown.number(each["effective_samples"] or math.nan)])
    header = ["observable", "Delta", "moves", "sweeps", "seconds", "effective samples"]
    return markdown.table(header, rows)


def describe(findings: Json) -> str:
    """Returns the text of the figure."""
    entries = _sorted(findings)
    sweeps = findings["sweeps"]
    each = round_sweeps(sweeps)
    return f"""\
Both starts are given the same {sweeps:,} sweeps of a chain, on labels without noise, for
{markdown.counted(findings["teachers"], "teacher")} at each Delta. *Zero start*: plain sweeps
throughout. *Population start*: {MEMBERS} members from zero, {each:,} sweeps each per round, of
which the half with the lower training error goes on; that takes
{problems.population_sweeps(MEMBERS, each):,} sweeps. From sweep {switch_sweep(sweeps):,} on, which
is fixed beforehand, moves are collapsed: the hidden activations are integrated out. Each job has an
informed chain to compare with.

{agreement.criteria(findings["effective_samples"])}

Here the verdict is on all observables that the server monitors by default, norms and probes among
them.

{_starts_table(entries)}

{_compared_starts(entries)}

At equilibrium, how many sweeps and seconds is the integrated autocorrelation time? Two informed
chains of the first teacher, over the {sweeps - switch_sweep(sweeps):,} sweeps after sweep
{switch_sweep(sweeps):,}. Times that rest on fewer than {ENOUGH_SAMPLES} effective samples are lower
bounds at best, because a chain cannot show memory longer than itself. Seconds are those of one
thread of the machine that made this figure.

{_moves_table(entries)}"""
