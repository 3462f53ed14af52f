"""Figure 3: accuracy of single draws on MNIST."""

from __future__ import annotations

import argparse
from pathlib import Path

from matplotlib.lines import Line2D

from bench.reproduce import markdown, mnist, plotting, problems, targets
from bench.reproduce.jobs import Outcome, Request
from bench.reproduce.posteriorctl import Json, Posteriorctl
from bench.reproduce.traces import log_curve

OPTIONS = ("mnist_train", "mnist_test", "mnist_delta", "mnist_sweeps", "cnn_sweeps", "mala_steps")
TITLE = "Figure 3: MNIST"

MLP_GIBBS = "perceptron, Gibbs"
MLP_MALA = "perceptron, MALA"
CNN_GIBBS = "convolutional, Gibbs"
# Our runs and the authors', as far as they published them.
RUNS = {MLP_GIBBS: "gibbs_mlp", MLP_MALA: "mala_mlp", CNN_GIBBS: None}
# What a sweep of 60,000 images costs, in Gibbs sweeps of the reference problem.
_COSTS = {MLP_GIBBS: 200.0, MLP_MALA: 150.0, CNN_GIBBS: 800.0}
_THEIR_TRAIN = 60_000
_THEIR_TEST = 5000
_THEIR_DELTA = 2.0
_TICKS = (0.1, 0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.92)


def plan(options: argparse.Namespace, program: Posteriorctl) -> dict[str, Request]:
    """Returns a job per network and sampler, after the data have been uploaded."""
    dataset = mnist.upload(program, options)
    delta = options.mnist_delta
    specs = {
        MLP_GIBBS: problems.mnist_mlp_gibbs(dataset, delta, options.mnist_sweeps),
        MLP_MALA: problems.mnist_mlp_mala(dataset, delta, options.mala_steps),
        CNN_GIBBS: problems.mnist_cnn_gibbs(dataset, delta, options.cnn_sweeps),
    }
    share = options.mnist_train / _THEIR_TRAIN
    return {
        name: Request(f"MNIST, {name}", spec, share * _COSTS[name]) for name, spec in specs.items()
    }


def evaluate(options: argparse.Namespace, outcomes: dict[str, Outcome]) -> Json:
    """Returns accuracies by sweep, and what a sweep took."""
    runs = {}
    for name, theirs in RUNS.items():
        outcome = outcomes[name]
        dense = outcome.dense[0]
        sweeps, errors = log_curve(dense, outcome.spaced[0], "test_error")
        runs[name] = {
            "sweeps": sweeps,
            "accuracy": [1 - error for error in errors],
            "seconds_per_sweep": outcome.seconds_per_sweep(0),
            "at_their_steps": [],
        }
        for row in targets.of_run("mnist_mlp_accuracy", theirs) if theirs else []:
            near = dense.around("test_error", int(row["step"]))
            if near.size and int(row["step"]) <= outcome.sweeps:
                runs[name]["at_their_steps"].append(
                    {"step": int(row["step"]), "mean": 1 - near.mean(), "spread": near.std()}
                )
    return {
        "runs": runs,
        "delta": options.mnist_delta,
        "train": options.mnist_train,
        "test": options.mnist_test,
    }


def draw(findings: Json, path: Path) -> None:
    """Draws accuracy against sweeps and against time."""
    figure, (left, right) = plotting.new_figure(2, width=5.8, height=4.6)
    handles = plotting.whose_lines()
    for colour, (name, theirs) in zip(plotting.COLOURS, RUNS.items(), strict=False):
        run = findings["runs"][name]
        seconds = [sweep * run["seconds_per_sweep"] for sweep in run["sweeps"]]
        left.plot(run["sweeps"], run["accuracy"], color=colour)
        right.plot(seconds, run["accuracy"], color=colour)
        handles.append(Line2D([], [], color=colour, linewidth=3, label=name))
        if theirs:
            rows = targets.of_run("mnist_mlp_accuracy", theirs)
            accuracy = targets.column(rows, "test_acc_mean")
            dashed = {"color": colour, "linestyle": "--", "marker": ".", "linewidth": 1}
            left.plot(targets.column(rows, "step"), accuracy, **dashed)
            right.plot(targets.column(rows, "elapsed_s"), accuracy, **dashed)
    for axis in (left, right):
        axis.set_xscale("log")
        axis.set_yscale("logit")
        axis.set_ylim(0.05, 0.95)
        axis.set_yticks(_TICKS, [f"{tick:g}" for tick in _TICKS])
        axis.set_yticks([], minor=True)
        axis.set_ylabel("test accuracy of a draw")
    left.set_xlabel("sweeps or steps")
    right.set_xlabel("seconds (ours: one thread of a processor; theirs: a GPU)")
    plotting.below(left, handles[2:], 3)
    plotting.below(right, handles[:2], 2)
    plotting.save(figure, path)


def _differences(findings: Json) -> list[str]:
    """Returns, in words, where the scale is not the authors'."""
    different = []
    if findings["train"] != _THEIR_TRAIN:
        different.append(f"{findings['train']:,} training images, theirs {_THEIR_TRAIN:,}")
    if findings["test"] != _THEIR_TEST:
        different.append(f"{findings['test']:,} test images, theirs {_THEIR_TEST:,}")
    if findings["delta"] != _THEIR_DELTA:
        different.append(f"Delta = {findings['delta']:g}, theirs {_THEIR_DELTA:g}")
    return different


def _table(findings: Json) -> tuple[str, list[str]]:
    rows, far = [], []
    for name, theirs in RUNS.items():
        if theirs is None:
            continue
        published = {int(row["step"]): row for row in targets.of_run("mnist_mlp_accuracy", theirs)}
        last_distance = 0.0
        for point in findings["runs"][name]["at_their_steps"]:
            row = published[point["step"]]
            accuracy, spread = float(row["test_acc_mean"]), float(row["test_acc_std"])
            rows.append([
                name, f"{point['step']:,}", f"{point['mean']:.4f} ± {point['spread']:.4f}",
                f"{accuracy:.4f} ± {spread:.4f}", f"{100 * (point['mean'] - accuracy):+.2f}",
            ])
            last_distance = 100 * (point["mean"] - accuracy)
        far.append(f"{name} {last_distance:+.2f} percentage points")
    header = ["network, sampler", "after", "ours", "theirs", "difference, percentage points"]
    return markdown.table(header, rows), far


def describe(findings: Json) -> str:
    """Returns the text of the figure."""
    table, last = _table(findings)
    different = _differences(findings)
    scale = f" **Not at the authors' scale**: {'; '.join(different)}." if different else ""
    runs = findings["runs"]
    final = [
        f"{name} {run['accuracy'][-1]:.3f} after {run['sweeps'][-1]:,}" for name, run in runs.items()
    ]
    speed = [f"{name} {1000 * run['seconds_per_sweep']:.3g} ms" for name, run in runs.items()]
    return f"""\
The 784-12-10 perceptron with ReLU by Gibbs (probit, Delta = {findings["delta"]:g} after every
layer) and by MALA (softmax, temperature {2 * findings["delta"]:g}, which is the authors' exp(-cross
entropy / (2 Delta))), and the authors' convolutional network (4 × 4 kernels, stride 2, two
channels; 2 × 2 average pooling; ReLU; 10 outputs) by Gibbs. {findings["train"]:,} training images,
{findings["test"]:,} test images, pixels standardised by one mean and deviation, float32, one chain
each, from zero.{scale} Our MALA adapts its step size and metric in the first half of the run;
theirs has a fixed step size.

Accuracy on the test images of single draws: mean over the sweeps within 10 % of a point ± standard
deviation of the draws there.

{table}

At the last point that both have, ours differs by: {"; ".join(last)}. Accuracy at the end:
{"; ".join(final)} sweeps. Whether this is equilibrium is not known: with real labels there is no
informed chain.

A sweep took, on one thread of the machine that made this figure: {"; ".join(speed)}."""
