"""Beyond the paper: regression on two data sets of the UCI repository, by three samplers."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from bench.reproduce import markdown, plotting, predictive, problems, uci_data
from bench.reproduce.estimates import Estimate, distance, estimate, limit
from bench.reproduce.jobs import Outcome, Request
from bench.reproduce.posteriorctl import Json, Posteriorctl
from bench.reproduce.predictive import Noise

# Without --uci, which depends on the machine and not on what comes out.
OPTIONS = ("uci_splits", "uci_hidden", "uci_hidden_noise", "uci_output_noise", "uci_sweeps",
           "uci_steps", "precision")
TITLE = "Beyond the paper: regression with uncertainty"

ACCEPTANCE = 0.65  # what step sizes are adapted to
HMC_LEAPFROG_STEPS = 100
TREE_DEPTH = 8
NUTS_LEAPFROG_STEPS = 2**TREE_DEPTH - 1  # at most
# Sampler and posterior, and what a sweep costs, in Gibbs sweeps of as many samples and units.
METHODS = {
    ("Gibbs", problems.INTERMEDIATE): 1.0,
    ("HMC", problems.INTERMEDIATE): 20.0,
    ("NUTS", problems.INTERMEDIATE): 90.0,
    ("HMC", problems.CLASSICAL): 10.0,
    ("NUTS", problems.CLASSICAL): 30.0,
}
CHAINS = 4
DRAWS = 500  # of each chain, at most
PROBES = 16
NOISE_SAMPLES = 4  # of each draw
# Chains with a larger R-hat are said not to have mixed.
THRESHOLD = 1.1


def collapsed_from(sweeps: int) -> int:
    """Returns the sweep from which on Gibbs moves are collapsed, when a chain makes `sweeps`."""
    return max(1, sweeps // 5)


def nuts_steps(steps: int) -> int:
    """Returns the steps of NUTS that take no more leapfrog steps than those of HMC."""
    return steps * HMC_LEAPFROG_STEPS // NUTS_LEAPFROG_STEPS


def _sampler(name: str, options: argparse.Namespace) -> tuple[Json, Json]:
    """Returns the settings of a sampler, and its schedule."""
    gradient = {"target_acceptance": ACCEPTANCE}
    if name == "Gibbs":
        sweeps = options.uci_sweeps
        settings: Json = {"gibbs": {"collapsed_from_sweep": collapsed_from(sweeps)}}
    elif name == "HMC":
        sweeps = options.uci_steps
        settings = {"hmc": {"leapfrog_steps": HMC_LEAPFROG_STEPS, "step_size_jitter": 0.2,
                            "gradient": gradient}}
    else:
        sweeps = nuts_steps(options.uci_steps)
        settings = {"nuts": {"max_tree_depth": TREE_DEPTH, "gradient": gradient}}
    return settings, problems.schedule(sweeps, draws=DRAWS)


def _request(name: str, dataset: str, seed: int, method: tuple[str, str],
             options: argparse.Namespace) -> Request:
    sampler, posterior = method
    settings, schedule = _sampler(sampler, options)
    spec = problems.regression(
        dataset, seed, schedule, [problems.prior_start(CHAINS)], hidden=options.uci_hidden,
        hidden_noise=options.uci_hidden_noise, output_noise=options.uci_output_noise,
        posterior=posterior, sampler=settings, precision=options.precision,
        observation={"probes": PROBES, "initial_stride": schedule["thinning"]},
    )
    rows = len(uci_data.read(options.uci, name))
    reference = problems.TRAIN_SAMPLES * problems.HIDDEN
    return Request(f"UCI {name}, {sampler}, {posterior} posterior, split {seed}", spec,
                   METHODS[method] * rows * options.uci_hidden / reference)


def _key(name: str, seed: int, method: tuple[str, str]) -> str:
    return f"{name} {seed} {' '.join(method)}"


def _splits(options: argparse.Namespace) -> range:
    return range(1, options.uci_splits + 1)


def plan(options: argparse.Namespace, program: Posteriorctl) -> dict[str, Request]:
    """Returns a job per data set, split and method, after the data have been uploaded."""
    requests = {}
    for name in uci_data.TARGETS:
        for seed in _splits(options):
            dataset = uci_data.upload(program, options.uci, name, seed)
            for method in METHODS:
                request = _request(name, dataset, seed, method, options)
                requests[_key(name, seed, method)] = request
    return requests


def _noise(posterior: str, options: argparse.Namespace) -> Noise:
    noise = Noise(options.uci_hidden_noise, options.uci_hidden_noise, options.uci_output_noise)
    return noise if posterior == problems.INTERMEDIATE else noise.plug_in()


def worst_probe(summary: Json) -> Json:
    """Returns the largest R-hat and the smallest effective sample size of the outputs at probes.

    None stands for what cannot be told for all of them, or is infinite.
    """
    probes = [each for name, each in summary.items() if name.startswith("probe")]

    def worst(of_all: Callable[[list[float]], float], name: str) -> float | None:
        # In protobuf's JSON a number that is not finite is a string, which float understands.
        value = float(of_all([float(probe.get(name, math.nan)) for probe in probes]))
        return value if math.isfinite(value) else None

    return {
        "rhat": worst(np.max, "rhat"),
        "effective_samples": worst(np.min, "bulk_effective_sample_size"),
    }


def _run(outcome: Outcome, noise: Noise, test: uci_data.HeldOut, seed: int) -> Json:
    draws = predictive.parse_draws(outcome.draws())
    generator = np.random.default_rng(seed)
    found: Json = {}
    for kind, each in (("integrated", noise), ("plug_in", noise.plug_in())):
        prediction = predictive.predict(
            draws, each, test.inputs, test.targets, NOISE_SAMPLES, generator
        ).in_unit(test.scale)
        found[kind] = {
            "rmse": predictive.rmse(prediction.means, test.scale * test.targets),
            "log_density": float(np.mean(prediction.log_densities)),
        }
    return found | worst_probe(outcome.summary) | {"seconds": outcome.seconds}


def evaluate(options: argparse.Namespace, outcomes: dict[str, Outcome]) -> Json:
    """Returns errors, log densities and how well chains mixed, by data set, method and split."""
    datasets = []
    for name, target in uci_data.TARGETS.items():
        runs: dict[tuple[str, str], list[Json]] = {method: [] for method in METHODS}
        yardsticks = []
        for seed in _splits(options):
            for method in METHODS:
                outcome = outcomes[_key(name, seed, method)]
                summary = outcome.job["data_summary"]
                test = uci_data.held_out(options.uci, name, seed, summary)
                noise = _noise(method[1], options)
                runs[method].append(_run(outcome, noise, test, seed))
            yardsticks.append(test.scale * predictive.rmse(np.zeros(1), test.targets))
        datasets.append({
            "name": name,
            "target": target,
            "train": int(summary["train_samples"]),
            "test": int(summary["test_samples"]),
            "inputs": len(summary["input_columns"]),
            "yardsticks": yardsticks,
            "methods": [
                {"sampler": sampler, "posterior": posterior, "runs": of_method}
                for (sampler, posterior), of_method in runs.items()
            ],
        })
    return {
        "splits": options.uci_splits,
        "hidden": options.uci_hidden,
        "hidden_noise": options.uci_hidden_noise,
        "output_noise": options.uci_output_noise,
        "sweeps": options.uci_sweeps,
        "steps": options.uci_steps,
        "datasets": datasets,
    }


def _method(entry: Json) -> str:
    return f"{entry['sampler']}, {entry['posterior']}"


def _column(entry: Json, *names: str) -> list[float]:
    """Returns a number of every split, nan where there is none."""
    values = []
    for run in entry["runs"]:
        value = run
        for name in names:
            value = value[name]
        values.append(math.nan if value is None else value)
    return values


def _seconds(entry: Json) -> list[float]:
    """Returns seconds per effective sample of every split."""
    samples = _column(entry, "effective_samples")
    seconds = _column(entry, "seconds")
    return [spent / count for spent, count in zip(seconds, samples, strict=True)]


def _draw_panel(axis: Axes, methods: list[Json], quantity: str) -> None:
    for index, entry in enumerate(methods):
        colour = plotting.COLOURS[index]
        for kind, filled, shift in (("integrated", True, -0.12), ("plug_in", False, 0.12)):
            if not filled and entry["posterior"] == problems.CLASSICAL:
                continue  # the same
            found = estimate(_column(entry, kind, quantity))
            axis.errorbar(found.mean, index + shift, xerr=found.error, color=colour, marker="o",
                          markerfacecolor=colour if filled else "white", capsize=3,
                          linestyle="none")
    axis.set_yticks(range(len(methods)), [_method(entry) for entry in methods])
    axis.set_ylim(len(methods) - 0.5, -0.5)


def draw(findings: Json, path: Path) -> None:
    """Draws errors and log densities, a panel for each on each data set."""
    datasets = findings["datasets"]
    figure, axes = plotting.new_figure(2 * len(datasets), width=3.6, height=3.4)
    for index, dataset in enumerate(datasets):
        left, right = axes[2 * index : 2 * index + 2]
        _draw_panel(left, dataset["methods"], "rmse")
        _draw_panel(right, dataset["methods"], "log_density")
        left.set_xlim(left=0)
        left.set_title(dataset["name"])
        right.set_title(dataset["name"])
        left.set_xlabel("test error (root mean square)")
        right.set_xlabel("log predictive density of a test point")
    for axis in axes[1:]:
        axis.tick_params(labelleft=False)
    markers = [
        Line2D([], [], color="black", marker="o", linestyle="none",
               label="hidden noise integrated"),
        Line2D([], [], color="black", marker="o", markerfacecolor="white", linestyle="none",
               label="plug-in"),
    ]
    plotting.below(axes[0], markers, 2)
    plotting.save(figure, path)


def _text(found: Estimate) -> str:
    return markdown.with_error(found.mean, found.error)


def _accuracy_table(dataset: Json) -> str:
    rows = []
    for entry in dataset["methods"]:
        row = [_method(entry)]
        for kind in ("integrated", "plug_in"):
            if kind == "plug_in" and entry["posterior"] == problems.CLASSICAL:
                row += ["the same", "the same"]
                continue
            row += [_text(estimate(_column(entry, kind, quantity)))
                    for quantity in ("rmse", "log_density")]
        rows.append(row)
    header = [dataset["name"], "RMSE", "log density", "RMSE, plug-in", "log density, plug-in"]
    return markdown.table(header, rows)


def _has_mixed(entry: Json) -> bool:
    """Whether R-hat is small on the average over splits; without one it is not known to be."""
    return bool(np.mean(_column(entry, "rhat")) < THRESHOLD)


def _mixing_table(dataset: Json) -> str:
    rows = []
    for entry in dataset["methods"]:
        seconds = estimate(_seconds(entry))
        bound = "" if _has_mixed(entry) or math.isnan(seconds.mean) else "≥ "
        rows.append([_method(entry), _text(estimate(_column(entry, "rhat"))),
                     _text(estimate(_column(entry, "effective_samples"))),
                     bound + _text(seconds)])
    header = [dataset["name"], "largest R-hat", "fewest effective samples",
              "seconds per effective sample"]
    return markdown.table(header, rows)


def _pairs(dataset: Json) -> list[tuple[Json, Json]]:
    """Returns the pairs of methods that sample the same posterior."""
    return [
        (one, other)
        for one, other in combinations(dataset["methods"], 2)
        if one["posterior"] == other["posterior"]
    ]


def _difference(one: Json, other: Json, quantity: str) -> Estimate:
    """Returns the mean over splits of the difference between two methods."""
    pairs = zip(_column(one, "integrated", quantity), _column(other, "integrated", quantity),
                strict=True)
    return estimate([ours - theirs for ours, theirs in pairs])


def _apart(far: list[str], allowed: float) -> str:
    """Returns how many pairs are farther apart than chance allows, and which."""
    errors = f"the {allowed:.1f} errors that chance allows"
    if not far:
        return f"none is farther apart than {errors}."
    verb = "is" if len(far) == 1 else "are"
    return f"{len(far)} {verb} farther apart than {errors}: {'; '.join(far)}."


def _agreement(findings: Json) -> str:
    """Returns the table of differences and what it says."""
    allowed = limit(findings["splits"])
    rows: list[list[str]] = []
    unsettled: list[str] = []
    far: dict[bool, list[str]] = {True: [], False: []}  # by whether both methods have mixed
    count = {True: 0, False: 0}
    for dataset in findings["datasets"]:
        for one, other in _pairs(dataset):
            title = f"{one['sampler']} − {other['sampler']}, {one['posterior']}"
            row = [dataset["name"], title]
            distances = []
            for quantity in ("rmse", "log_density"):
                found = _difference(one, other, quantity)
                distances.append(distance(found, 0, 0))
                row += [_text(found), markdown.signed(distances[-1])]
            rows.append(row)
            mixed = _has_mixed(one) and _has_mixed(other)
            count[mixed] += 1
            if max(map(abs, distances)) > allowed:
                far[mixed].append(f"{title}, on {dataset['name']}")
        unsettled += [f"{_method(entry)}, on {dataset['name']}" for entry in dataset["methods"]
                      if not _has_mixed(entry)]
    header = ["data", "samplers, posterior", "RMSE", "in errors", "log density", "in errors"]
    said = []
    if count[True]:
        said.append(f"Of {markdown.counted(count[True], 'pair')} whose chains have mixed (R-hat "
                    f"below {THRESHOLD}), {_apart(far[True], allowed)}")
    if count[False]:
        said.append(f"The chains of some have not mixed: {'; '.join(unsettled)}. Of "
                    f"{markdown.counted(count[False], 'pair')} with these, "
                    f"{_apart(far[False], allowed)} A difference there may only say where chains "
                    "started, and agreement is little proof.")
    return f"{markdown.table(header, rows)}\n\n{' '.join(said)}"


def _outline(dataset: Json) -> str:
    target = dataset["target"].replace("_", " ")
    yardstick = estimate(dataset["yardsticks"])
    return (f"*{dataset['name']}*, {target} from {dataset['inputs']} inputs, "
            f"{dataset['train']} training and {dataset['test']} test rows (to predict the training "
            f"mean has RMSE {_text(yardstick)})")


def describe(findings: Json) -> str:
    """Returns the text of the figure."""
    datasets = findings["datasets"]
    sweeps, steps = findings["sweeps"], findings["steps"]
    accuracy = "\n\n".join(_accuracy_table(dataset) for dataset in datasets)
    mixing = "\n\n".join(_mixing_table(dataset) for dataset in datasets)
    return f"""\
Real data, and predictions with error bars: {"; ".join(map(_outline, datasets))}. The command needs
a directory with yacht.data and energy.data of the [UCI repository](https://archive.ics.uci.edu); a
fifth of the rows is held out at random, in {markdown.counted(findings["splits"], "split")}. Inputs
and targets are standardised by the training rows.

The network has one hidden layer of {markdown.counted(findings["hidden"], "ReLU unit")} with biases,
prior precisions equal to the fan-in. The noises are fixed, because only Gibbs can learn them. In
units of the standardised target the output has noise variance {findings["output_noise"]:g} in both
posteriors. *Intermediate* has noise variance {findings["hidden_noise"]:g} besides before and after
the ReLUs, whose inputs are of order one; with less, chains need longer to forget their starts.
*Classical* has none there. So the two are different models and need not predict alike.

Each job has {CHAINS} chains that start at the prior and spend half of their sweeps on warm-up:
{sweeps:,} Gibbs sweeps, from sweep {collapsed_from(sweeps):,} on with the hidden activations
integrated out; {steps:,} steps of HMC of {HMC_LEAPFROG_STEPS} leapfrog steps each; or
{nuts_steps(steps):,} steps of NUTS of at most {NUTS_LEAPFROG_STEPS}, so that NUTS gets no more
gradients than HMC. Both adapt a diagonal metric, and the step size to an acceptance of
{ACCEPTANCE:g}. Up to {DRAWS} draws of each chain are exported and make the predictions:

- **RMSE** of the mean of the posterior predictive, and the mean **log density** of a test point
  under the posterior predictive, both in the unit of the target. Of the hidden noises those before
  the ReLUs are simulated, {NOISE_SAMPLES} times for each draw; those after them and the output's
  are integrated exactly.
- **Plug-in**: the hidden noises are left out of the prediction, though they are part of the model.

All numbers are means ± standard errors over splits.

{accuracy}

Samplers of the same posterior have to agree. Their differences, split by split, and the distance
from none in standard errors:

{_agreement(findings)}

How well the chains mixed: rank-normalised R-hat and bulk effective sample size of the network's
output at {PROBES} test inputs, the worst of them. Seconds are those of one thread of the machine
that made this figure, with the warm-up, for an effective sample of the worst output; a lower bound
where R-hat is not below {THRESHOLD}, because chains that have not mixed count too many effective
samples.

{mixing}"""
