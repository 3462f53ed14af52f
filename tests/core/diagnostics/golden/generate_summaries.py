#!/usr/bin/env python3
"""Writes summaries.txt: small data sets with the summary statistics that ArviZ finds.

Made once with

    python3 -m venv venv && venv/bin/pip install arviz==0.23.4 scipy==1.17.1
    venv/bin/python generate_summaries.py > summaries.txt

Format: for each case one line "name chains points", one of the statistics named in STATISTICS, and
then one line of points per chain. nan stands where ArviZ defines none. The points are multiples of
a power of two, so that distances to the median are exact and tie in every implementation alike.

The functions are those behind arviz.summary, arviz.ess, arviz.mcse and arviz.bfmi; R-hat is computed
from its two parts because ArviZ refuses a single chain.
"""

import sys
import warnings

import numpy
from arviz.stats import diagnostics
from arviz.stats.stats_utils import quantile

STATISTICS = (
    "mean sd q5 q50 q95 mcse_mean mcse_sd mcse_q5 mcse_q50 mcse_q95 rhat ess_bulk ess_tail "
    "ess_mean autocorrelation_time first_chain_bfmi"
).split()


def autoregressive(random, chains, points, correlation):
    noise = random.standard_normal((chains, points))
    values = noise.copy()
    for i in range(1, points):
        values[:, i] = correlation * values[:, i - 1] + numpy.sqrt(1 - correlation**2) * noise[:, i]
    return values


def rhat(values):
    folded = numpy.abs(values - numpy.median(values))
    parts = [
        diagnostics._rhat(diagnostics._z_scale(diagnostics._split_chains(x)))
        for x in (values, folded)
    ]
    return parts[0] if numpy.isnan(parts[1]) else max(parts)


def statistics(values):
    found = {
        "mean": values.mean(),
        "sd": values.std(ddof=1),
        "mcse_mean": diagnostics._mcse_mean(values),
        "mcse_sd": diagnostics._mcse_sd(values),
        "rhat": rhat(values),
        "ess_bulk": diagnostics._ess_bulk(values),
        "ess_tail": diagnostics._ess_tail(values),
        "ess_mean": diagnostics._ess_mean(values),
        "autocorrelation_time": values.size / diagnostics._ess(values),
        "first_chain_bfmi": diagnostics._bfmi(values[:1])[0],
    }
    for percent in (5, 50, 95):
        found[f"q{percent}"] = quantile(values.ravel(), percent / 100)[0]
        found[f"mcse_q{percent}"] = diagnostics._mcse_quantile(values, percent / 100)
    return [found[name] for name in STATISTICS]


def main():
    random = numpy.random.default_rng(2)
    stuck = autoregressive(random, 4, 75, 0.5)
    stuck[3, 20:] = stuck[3, 20]
    cases = {
        "independent": random.standard_normal((4, 100)),
        "slow": autoregressive(random, 4, 150, 0.9),
        "heavy_tails": numpy.tan(1.5 * autoregressive(random, 4, 100, 0.5)),
        "cauchy": random.standard_cauchy((4, 60)),
        "discrete": numpy.floor(3 * autoregressive(random, 4, 80, 0.6)),
        "binary": (autoregressive(random, 3, 70, 0.7) > 0.3) * 1.0,
        "mostly_the_largest": (autoregressive(random, 3, 70, 0.7) > -1.9) * 1.0,
        "antithetic": autoregressive(random, 2, 101, -0.7),
        "strongly_antithetic": autoregressive(random, 4, 50, -0.97),
        "different_scales": autoregressive(random, 4, 60, 0.2) * numpy.array([[1], [1], [1], [4]]),
        "shifted_chain": autoregressive(random, 3, 99, 0.3) + numpy.array([[0], [0], [1.5]]),
        "drift": autoregressive(random, 2, 120, 0.2) + numpy.linspace(0, 3, 120),
        "stuck_chain": stuck,
        "constant_chain": numpy.vstack([random.standard_normal(60), numpy.full(60, 0.25)]),
        "one_chain": autoregressive(random, 1, 151, 0.5),
        "one_short_chain": autoregressive(random, 1, 23, 0.3),
        "shortest": random.standard_normal((2, 10)),
        "short": autoregressive(random, 3, 13, 0.4),
        "many_short_chains": autoregressive(random, 16, 12, 0.4),
        "skewed": numpy.exp(1.5 * autoregressive(random, 2, 90, 0.4)),
        "far_from_zero": 1000 + 0.25 * autoregressive(random, 2, 64, 0.8),
    }
    for name, values in cases.items():
        values = numpy.round(values * 1024) / 1024
        print(name, *values.shape)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            print(*(repr(float(x)) for x in statistics(values)))
        for chain in values:
            print(*(f"{value:.17g}" for value in chain))


if __name__ == "__main__":
    sys.exit(main())
