"""Posterior predictive of a regression network with one hidden layer of ReLUs.

A draw and an input x make the target as

    z = W x + b + N(0, pre),    v = relu(z) + N(0, post),    y = w v + c + N(0, output).

Given z the target is normal with mean w relu(z) + c and variance output + post |w|^2. So the noises
`post` and `output` are integrated exactly, and only `pre` is simulated. With pre = post = 0 that is
the plug-in predictive, which is exact for the classical posterior.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

# Draws that are worked on at once, which bounds memory.
_BLOCK = 100


@dataclass(frozen=True)
class Noise:
    """Variances of the noises of a network."""

    pre: float
    post: float
    output: float

    def plug_in(self) -> Noise:
        """Returns the noise of a network whose hidden layer has none."""
        return replace(self, pre=0.0, post=0.0)


@dataclass(frozen=True)
class Draws:
    """Draws of all chains, one after another."""

    hidden_weights: np.ndarray  # draws x units x inputs
    hidden_biases: np.ndarray  # draws x units
    output_weights: np.ndarray  # draws x units
    output_biases: np.ndarray  # draws


def parse_draws(arrays: Mapping[str, np.ndarray]) -> Draws:
    """Returns the draws in the arrays of `posteriorctl job draws`, shaped (chains, draws, ...)."""

    def pooled(name: str) -> np.ndarray:
        array = arrays[name]
        return array.reshape(-1, *array.shape[2:]).astype(float)

    return Draws(pooled("dense1.weight"), pooled("dense1.bias"), pooled("dense2.weight")[:, 0],
                 pooled("dense2.bias")[:, 0])


@dataclass(frozen=True)
class Prediction:
    """What the draws together say of every test point."""

    means: np.ndarray
    log_densities: np.ndarray  # of the targets

    def in_unit(self, scale: float) -> Prediction:
        """Returns the same in a unit in which all targets are `scale` times as large."""
        return Prediction(scale * self.means, self.log_densities - math.log(scale))


def rmse(means: np.ndarray, targets: np.ndarray) -> float:
    """Returns the root of the mean squared error."""
    return float(np.sqrt(np.mean((means - targets) ** 2)))


def predict(draws: Draws, noise: Noise, inputs: np.ndarray, targets: np.ndarray, samples: int,
            generator: np.random.Generator) -> Prediction:
    """Returns means, and log densities of the targets, over draws and `samples` noises of each."""
    if noise.pre == 0:
        samples = 1  # all would be the same
    deviation = math.sqrt(noise.pre)
    sums = np.zeros(len(inputs))
    log_densities = []
    count = len(draws.output_biases)
    for begin in range(0, count, _BLOCK):
        block = slice(begin, begin + _BLOCK)
        weights = draws.output_weights[block]
        hidden = inputs @ draws.hidden_weights[block].transpose(0, 2, 1)
        hidden += draws.hidden_biases[block][:, None, :]
        variances = noise.output + noise.post * np.sum(weights**2, axis=1)[:, None]
        for _ in range(samples):
            noisy = hidden
            if noise.pre > 0:
                noisy = hidden + deviation * generator.standard_normal(hidden.shape)
            means = (np.maximum(noisy, 0) @ weights[:, :, None])[:, :, 0]
            means += draws.output_biases[block][:, None]
            sums += means.sum(axis=0)
            each = -0.5 * ((targets - means) ** 2 / variances + np.log(2 * np.pi * variances))
            log_densities.append(special.logsumexp(each, axis=0))
    total = count * samples
    return Prediction(sums / total, special.logsumexp(log_densities, axis=0) - math.log(total))
