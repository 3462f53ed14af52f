"""The command line of the server, as Python functions."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Json = dict[str, Any]


class PosteriorctlError(Exception):
    """A call that posteriorctl refused or could not make; its text is what posteriorctl said."""


@dataclass(frozen=True)
class Posteriorctl:
    """Calls the program at `program`, which finds its server in POSTERIORD_SERVER."""

    program: Path

    def call(self, *arguments: str, text: str | None = None) -> str:
        """Returns what the program prints, given `text` on standard input."""
        done = subprocess.run(
            [str(self.program), *arguments], input=text, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            command = " ".join(["posteriorctl", *arguments])
            raise PosteriorctlError(f"{command}: {done.stderr.strip() or done.returncode}")
        return done.stdout

    def call_json(self, *arguments: str, text: str | None = None) -> Json:
        """Returns the message that the program prints as protobuf JSON."""
        return json.loads(self.call("--json", *arguments, text=text))

    def submit(self, job: Json) -> Json:
        """Submits a posteriord.v1.Job and returns it as accepted."""
        return self.call_json("job", "submit", "-", text=json.dumps(job))

    def jobs(self, labels: dict[str, str], states: tuple[str, ...] = ()) -> list[Json]:
        """Returns the jobs that carry all labels and are in one of the states, newest first."""
        arguments = [f"--label={key}={value}" for key, value in labels.items()]
        arguments += [f"--state={state}" for state in states]
        return self.call_json("job", "list", *arguments).get("jobs", [])

    def job(self, name: str) -> Json:
        """Returns a job."""
        return self.call_json("job", "get", name)

    def trace(self, name: str, points: str) -> str:
        """Returns the traces of a job as CSV; `points` are even, log or both."""
        return self.call("job", "trace", name, "--format", "csv", "--points", points)

    def diagnostics(self, name: str) -> list[Json]:
        """Returns all evaluations of the chains' agreement, in order."""
        lines = self.call("job", "trace", name, "--format", "ndjson", "--diagnostics").splitlines()
        marker = '{"diagnostics"'
        return [json.loads(line)["diagnostics"] for line in lines if line.startswith(marker)]

    def summary(self, name: str) -> Json:
        """Returns the statistics of a job over all its chains."""
        return self.call_json("job", "summary", name)

    def draws(self, name: str) -> dict[str, np.ndarray]:
        """Returns the draws of all chains by parameter array, shaped (chains, draws, ...)."""
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / "draws.npz"
            self.call("job", "draws", name, "--out", str(path))
            with np.load(path) as arrays:
                return dict(arrays)

    def datasets(self) -> list[Json]:
        """Returns the data sets on the server."""
        return self.call_json("dataset", "list").get("datasets", [])

    def upload(self, path: Path, display_name: str, *arguments: str) -> str:
        """Uploads a data set and returns its name."""
        dataset = self.call_json(
            "dataset", "upload", str(path), "--display-name", display_name, *arguments
        )
        return dataset["name"]
