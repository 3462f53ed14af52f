"""Which rows of a data set the server holds out for testing.

The rule is part of what the server's results are defined by (server/data/split.h): selection
sampling with numbers of the 64-bit Mersenne Twister.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

_WORD = 2**64
_SIZE = 312
_MIDDLE = 156
_LOWER = 2**31 - 1
_TWIST = 0xB5026F5AA96619E9


def mersenne_twister(seed: int) -> Iterator[int]:
    """Yields the numbers of std::mt19937_64."""
    state = [seed]
    for index in range(1, _SIZE):
        last = state[-1]
        state.append((6364136223846793005 * (last ^ (last >> 62)) + index) % _WORD)
    while True:
        for index in range(_SIZE):
            upper = state[index] & ~_LOWER
            mixed = upper | (state[(index + 1) % _SIZE] & _LOWER)
            twist = _TWIST if mixed & 1 else 0
            state[index] = state[(index + _MIDDLE) % _SIZE] ^ (mixed >> 1) ^ twist
        for number in state:
            number ^= (number >> 29) & 0x5555555555555555
            number ^= (number << 17) & 0x71D67FFFEDA60000
            number ^= (number << 37) & 0xFFF7EEE000000000
            yield number ^ (number >> 43)


def is_test(rows: int, fraction: float, seed: int) -> np.ndarray:
    """Returns, for every row, whether it is held out when this share of the rows is."""
    numbers = mersenne_twister(seed)

    def below(bound: int) -> int:
        largest = _WORD - _WORD % bound
        return next(number for number in numbers if number < largest) % bound

    wanted = min(max(math.floor(fraction * rows + 0.5), 1), rows - 1)
    chosen = np.zeros(rows, dtype=bool)
    for row in range(rows):
        chosen[row] = below(rows - row) < wanted
        wanted -= int(chosen[row])
    return chosen
