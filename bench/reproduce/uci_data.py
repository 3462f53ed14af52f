"""Regression data sets of the UCI repository: read from disk, uploaded, and split."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.reproduce import splits
from bench.reproduce.posteriorctl import Json, Posteriorctl

# What the target of each data set is.
TARGETS = {"yacht": "resistance", "energy": "heating_load"}
TEST_FRACTION = 0.2


class UciError(Exception):
    """The data sets are not to be had, or are not what they should be."""


def read(folder: Path, name: str) -> list[list[str]]:
    """Returns the numbers of <name>.data as they are written, a list per row."""
    path = folder / f"{name}.data"
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeError) as error:
        raise UciError(f"cannot read {path}; --uci names the directory that has it") from error
    rows = [line.split() for line in lines if line.strip()]
    if len(rows) < 2 or len({len(row) for row in rows}) != 1 or len(rows[0]) < 2:
        raise UciError(f"{path} is no table of inputs and a target")
    return rows


def to_csv(rows: list[list[str]], target: str) -> str:
    """Returns a table as CSV with a header; the target is its last column."""
    header = [f"x{column}" for column in range(1, len(rows[0]))] + [target]
    return "".join(",".join(row) + "\n" for row in [header, *rows])


def upload(program: Posteriorctl, folder: Path, name: str, seed: int) -> str:
    """Returns the name of a data set with this split, uploaded unless it is there already."""
    arguments = [
        "--target", TARGETS[name], "--test-fraction", str(TEST_FRACTION), "--split-seed", str(seed),
        "--standardize", "inputs-and-targets",
    ]
    text = to_csv(read(folder, name), TARGETS[name])
    digest = hashlib.sha256("\n".join([*arguments, text]).encode()).hexdigest()[:16]
    title = f"UCI {name}, split {seed}, {digest}"
    for dataset in program.datasets():
        if dataset.get("display_name") == title:
            return dataset["name"]
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / f"{name}.csv"
        path.write_text(text, encoding="ascii")
        return program.upload(path, title, *arguments)


@dataclass(frozen=True)
class HeldOut:
    """Rows held out, standardised as the training rows are."""

    inputs: np.ndarray  # rows x columns
    targets: np.ndarray
    scale: float  # of the target: its unit, in that of the file


def held_out(folder: Path, name: str, seed: int, summary: Json) -> HeldOut:
    """Returns the test rows of a split; `summary` is the data_summary of a job on it.

    Raises UciError when the training rows are not those that the server standardised by.
    """
    table = np.array(read(folder, name), dtype=float)
    for_test = splits.is_test(len(table), TEST_FRACTION, seed)
    train, test = table[~for_test], table[for_test]
    means = np.array([*summary["input_means"], *summary["target_means"]])
    scales = np.array([*summary["input_scales"], *summary["target_scales"]])
    deviations = np.where(np.ptp(train, axis=0) == 0, 1, train.std(axis=0))
    same = (
        int(summary["test_samples"]) == len(test)
        and means.shape == (table.shape[1],)
        and np.allclose(train.mean(axis=0), means, rtol=1e-9, atol=1e-9 * scales)
        and np.allclose(deviations, scales, rtol=1e-9)
    )
    if not same:
        raise UciError(f"{name}, split {seed}: the server holds out other rows than expected")
    standard = (test - means) / scales
    return HeldOut(standard[:, :-1], standard[:, -1], float(scales[-1]))
