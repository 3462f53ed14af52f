"""Runs many jobs on the server, a few at a time, and hands out what they made.

A job is found again by a label that is a digest of its spec. So a driver that was interrupted goes
on where it was, and two figures that need the same job share it.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.reproduce import problems
from bench.reproduce.posteriorctl import Json, Posteriorctl, PosteriorctlError
from bench.reproduce.progress import Progress
from bench.reproduce.traces import Trace, parse_traces

MADE_BY = {"made_by": "reproduce"}
SUCCEEDED = "STATE_SUCCEEDED"


@dataclass(frozen=True)
class Request:
    """A job to run. `cost` is that of a sweep, in Gibbs sweeps of the reference problem."""

    title: str
    spec: Json
    cost: float = 1

    @cached_property
    def digest(self) -> str:
        """A name that depends on the spec alone."""
        text = json.dumps(self.spec, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:40]

    @property
    def labels(self) -> dict[str, str]:
        """The labels that the job is found by."""
        return MADE_BY | {"request": self.digest}

    @property
    def work(self) -> float:
        """Cost of all sweeps of all chains."""
        return self.cost * problems.total_sweeps(self.spec)

    @property
    def message(self) -> Json:
        """The job to submit."""
        return {"display_name": self.title, "labels": self.labels, "spec": self.spec}


@dataclass(frozen=True)
class Outcome:
    """A job that has succeeded."""

    program: Posteriorctl
    job: Json

    @property
    def sweeps(self) -> int:
        """Sweeps of each chain."""
        return int(self.job["chains"][0]["sweeps"])

    @cached_property
    def even(self) -> list[Trace]:
        """Evenly spaced points, by chain."""
        return parse_traces(self.program.trace(self.job["name"], "even"))

    @cached_property
    def spaced(self) -> list[Trace]:
        """Points spaced by equal ratios, by chain."""
        return parse_traces(self.program.trace(self.job["name"], "log"))

    @cached_property
    def dense(self) -> list[Trace]:
        """All points, by chain."""
        return parse_traces(self.program.trace(self.job["name"], "both"))

    @cached_property
    def diagnostics(self) -> list[Json]:
        """All evaluations of the chains' agreement, in order."""
        return self.program.diagnostics(self.job["name"])

    @cached_property
    def summary(self) -> Json:
        """Statistics over all chains, by observable."""
        listed = self.program.summary(self.job["name"])["observables"]
        return {observable["name"]: observable for observable in listed}

    def mean(self, observable: str, chain: int, share: float) -> float:
        """Returns the mean over the last `share` of the sweeps of a chain."""
        return self.even[chain].mean(observable, (1 - share) * self.sweeps)

    def seconds_per_sweep(self, chain: int) -> float:
        """Returns how long a sweep of a chain took."""
        return 1 / self.job["chains"][chain]["sweeps_per_second"]

    @property
    def seconds(self) -> float:
        """How long the sweeps of all chains took, those of the warm-up included."""
        chains = self.job["chains"]
        return sum(int(chain["sweeps"]) / chain["sweeps_per_second"] for chain in chains)

    def draws(self) -> dict[str, np.ndarray]:
        """Returns the draws of all chains; unlike the rest they are not kept, for their size."""
        return self.program.draws(self.job["name"])


class Campaign:
    """Runs requests in their order, `at_once` at a time, and follows them."""

    def __init__(self, program: Posteriorctl, requests: Iterable[Request], at_once: int) -> None:
        self._program = program
        unique = {request.digest: request for request in requests}
        self._waiting = deque(unique.values())
        self._running: dict[str, tuple[Request, str]] = {}  # by digest: request and name
        self._succeeded: dict[str, Json] = {}
        self._done = 0.0
        self._at_once = at_once
        self._progress = Progress(sum(request.work for request in unique.values()))

    def finish(self, requests: dict[str, Request]) -> dict[str, Outcome]:
        """Waits for these requests, which later ones may join meanwhile; returns their outcomes.

        Raises PosteriorctlError when a job fails or is cancelled.
        """
        pause = 0.2
        while True:
            self._start()
            ended = self._look()
            if all(request.digest in self._succeeded for request in requests.values()):
                break
            if ended:
                pause = 0.2
            else:
                time.sleep(pause)
                pause = min(5, 1.5 * pause)
        return {
            key: Outcome(self._program, self._succeeded[request.digest])
            for key, request in requests.items()
        }

    def _start(self) -> None:
        """Finds or submits requests until enough of them run."""
        while self._waiting and len(self._running) < self._at_once:
            request = self._waiting.popleft()
            known = self._program.jobs(request.labels, ("queued", "running", "succeeded"))
            job = known[0] if known else self._program.submit(request.message)
            self._running[request.digest] = (request, job["name"])

    def _look(self) -> bool:
        """Takes note of how far jobs are; returns whether one has ended."""
        ended = False
        under_way = 0.0
        title = ""
        for digest, (request, name) in list(self._running.items()):
            job = self._program.job(name)
            if job["state"] == SUCCEEDED:
                self._succeeded[digest] = job
                self._done += request.work
                del self._running[digest]
                ended = True
            elif job["state"] in ("STATE_FAILED", "STATE_CANCELLED"):
                reason = job.get("error", {}).get("message", job["state"])
                raise PosteriorctlError(f"{name} ({request.title}): {reason}")
            else:
                title = title or request.title
                made = sum(int(chain.get("sweeps", 0)) for chain in job["chains"])
                under_way += request.cost * made
        self._progress.show(self._done + under_way, title)
        return ended


def forgotten(program: Posteriorctl, requests: Iterable[Request]) -> list[str]:
    """Returns unfinished jobs of an earlier call that are not among the requests."""
    wanted = {request.digest for request in requests}
    unfinished = program.jobs(MADE_BY, ("queued", "running"))
    return [job["name"] for job in unfinished if job["labels"]["request"] not in wanted]
