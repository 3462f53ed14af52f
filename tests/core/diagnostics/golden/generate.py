#!/usr/bin/env python3
"""Writes chains.txt: small chains with the effective sample sizes and split R-hat that ArviZ finds.

Made once with

    python3 -m venv venv && venv/bin/pip install arviz==0.23.4
    venv/bin/python generate.py > chains.txt

Format: for each case one line "name chains points ess first_chain_ess rhat" and then one line of
points per chain. ess is that of all chains, each split in two; first_chain_ess is that of the first
chain alone, not split; rhat is nan where ArviZ defines none.
"""

import sys

import arviz
import numpy
from arviz.stats import diagnostics


def autoregressive(random, chains, points, correlation):
    noise = random.standard_normal((chains, points))
    values = noise.copy()
    for i in range(1, points):
        values[:, i] = correlation * values[:, i - 1] + numpy.sqrt(1 - correlation**2) * noise[:, i]
    return values


def main():
    random = numpy.random.default_rng(1)
    cases = {
        "independent": random.standard_normal((4, 100)),
        "slow": autoregressive(random, 4, 200, 0.9),
        "antithetic": autoregressive(random, 2, 101, -0.7),
        "one_chain": autoregressive(random, 1, 150, 0.5),
        "shifted_chain": autoregressive(random, 3, 99, 0.3) + numpy.array([[0.0], [0.0], [2.0]]),
        "drift": autoregressive(random, 2, 120, 0.2) + numpy.linspace(0, 3, 120),
        "discrete": numpy.floor(3 + autoregressive(random, 4, 80, 0.6)) / 8,
        "one_constant_chain": numpy.vstack([random.standard_normal(60), numpy.full(60, 0.25)]),
        "far_from_zero": 1e6 + 1e-2 * autoregressive(random, 2, 64, 0.8),
        "shortest": random.standard_normal((2, 10)),
        "short": autoregressive(random, 3, 13, 0.4),
        "slower_than_the_window": autoregressive(random, 2, 40, 0.99),
    }
    for name, values in cases.items():
        values = numpy.round(values, 4)
        ess = arviz.ess(values, method="mean")
        first_chain_ess = diagnostics._ess(values[:1])
        rhat = arviz.rhat(values, method="split") if len(values) > 1 else numpy.nan
        print(name, *values.shape, *(repr(float(x)) for x in (ess, first_chain_ess, rhat)))
        for chain in values:
            print(*(f"{value:.12g}" for value in chain))


if __name__ == "__main__":
    sys.exit(main())
