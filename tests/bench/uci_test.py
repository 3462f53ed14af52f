"""Tests of what bench/reproduce does with the data sets of the UCI repository.

    /usr/bin/python3 -m unittest tests/bench/uci_test.py
"""

from __future__ import annotations

import io
import itertools
import math
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from scipy import stats

from bench.reproduce import __main__ as driver
from bench.reproduce import options, splits, uci_data
from bench.reproduce.figures import uci
from bench.reproduce.predictive import Draws, Noise, Prediction, parse_draws, predict, rmse


class SplitsTest(unittest.TestCase):
    def test_the_numbers_are_those_of_the_standard(self) -> None:
        numbers = splits.mersenne_twister(5489)  # ISO C++, [rand.predef]
        self.assertEqual(next(itertools.islice(numbers, 9999, None)), 9981545732273789042)

    def test_rows_are_those_of_the_server(self) -> None:
        for seed, rows in ((0, [3, 8, 11, 17, 18, 19]), (42, [1, 2, 3, 11, 12, 19])):
            self.assertEqual(np.flatnonzero(splits.is_test(20, 0.3, seed)).tolist(), rows)

    def test_a_share_is_rounded_but_leaves_a_row_on_each_side(self) -> None:
        for rows, share, expected in ((1797, 0.2, 359), (50, 0.37, 19), (100, 1e-9, 1), (9, 0.99, 8)):
            self.assertEqual(splits.is_test(rows, share, 1).sum(), expected)


def one_unit(weight: float, bias: float, output_weight: float, output_bias: float) -> Draws:
    return Draws(np.array([[[weight]]]), np.array([[bias]]), np.array([[output_weight]]),
                 np.array([output_bias]))


class PredictiveTest(unittest.TestCase):
    def setUp(self) -> None:
        self.generator = np.random.default_rng(1)

    def test_noise_of_a_linear_path_adds_up_in_squares(self) -> None:
        # So far above zero the ReLU is the identity.
        draws = one_unit(2.0, 100.0, 1.5, -150.0)
        noise = Noise(pre=0.04, post=0.02, output=0.01)
        inputs, targets = np.array([[-0.3], [0.7]]), np.array([-1.0, 2.5])
        samples = 20_000
        found = predict(draws, noise, inputs, targets, samples, self.generator)
        means = 3 * inputs[:, 0]
        variance = noise.output + 1.5**2 * (noise.pre + noise.post)
        expected = stats.norm.pdf(targets, means, math.sqrt(variance))
        # The density of a sample is normal about a random mean; so is its square, but for a factor.
        given = noise.output + 1.5**2 * noise.post
        squares = stats.norm.pdf(targets, means, math.sqrt(variance - given / 2))
        squares /= math.sqrt(4 * math.pi * given)
        errors = np.sqrt((squares - expected**2) / samples)
        np.testing.assert_array_less(np.abs(np.exp(found.log_densities) - expected), 4 * errors)
        mean_error = 1.5 * math.sqrt(noise.pre / samples)
        np.testing.assert_array_less(np.abs(found.means - means), 4 * mean_error)

    def test_noise_after_the_relu_is_integrated_exactly(self) -> None:
        draws = one_unit(1.0, 0.0, 2.0, 0.5)
        inputs, targets = np.array([[-1.0], [1.0]]), np.array([0.0, 3.0])
        found = predict(draws, Noise(0.0, 0.1, 0.2), inputs, targets, 7, self.generator)
        np.testing.assert_allclose(found.means, [0.5, 2.5])
        expected = stats.norm.logpdf(targets, [0.5, 2.5], math.sqrt(0.2 + 4 * 0.1))
        np.testing.assert_allclose(found.log_densities, expected)

    def test_noise_before_the_relu_lifts_the_mean(self) -> None:
        samples = 20_000
        found = predict(one_unit(1.0, 0.0, 1.0, 0.0), Noise(0.25, 0.0, 0.1), np.zeros((1, 1)),
                        np.zeros(1), samples, self.generator)
        half_normal = 0.5 / math.sqrt(2 * math.pi)
        deviation = 0.5 * math.sqrt(0.5 - 0.5 / math.pi)
        self.assertLess(abs(found.means[0] - half_normal), 4 * deviation / math.sqrt(samples))

    def test_plug_in_averages_densities_over_draws_of_all_blocks(self) -> None:
        count = 250
        biases = self.generator.normal(size=count)
        draws = Draws(np.zeros((count, 1, 1)), np.zeros((count, 1)), np.ones((count, 1)), biases)
        noise = Noise(0.3, 0.2, 0.1).plug_in()
        self.assertEqual(noise, Noise(0, 0, 0.1))
        found = predict(draws, noise, np.zeros((1, 1)), np.array([0.4]), 3, self.generator)
        self.assertAlmostEqual(found.means[0], biases.mean())
        density = stats.norm.pdf(0.4, biases, math.sqrt(0.1)).mean()
        self.assertAlmostEqual(found.log_densities[0], math.log(density))

    def test_a_larger_unit_makes_densities_smaller(self) -> None:
        found = Prediction(np.array([2.0]), np.array([stats.norm.logpdf(2.5, 2, 1)])).in_unit(3)
        self.assertEqual(found.means[0], 6)
        self.assertAlmostEqual(found.log_densities[0], stats.norm.logpdf(7.5, 6, 3))

    def test_rmse_is_the_root_of_the_mean_square(self) -> None:
        self.assertAlmostEqual(rmse(np.array([1.0, 2.0]), np.array([1.0, 4.0])), math.sqrt(2))

    def test_draws_of_all_chains_are_pooled(self) -> None:
        shapes = {"dense1.weight": (2, 3, 4, 5), "dense1.bias": (2, 3, 4),
                  "dense2.weight": (2, 3, 1, 4), "dense2.bias": (2, 3, 1)}
        arrays = {name: np.arange(math.prod(shape)).reshape(shape) for name, shape in shapes.items()}
        draws = parse_draws(arrays)
        self.assertEqual(draws.hidden_weights.shape, (6, 4, 5))
        self.assertEqual(draws.output_weights.shape, (6, 4))
        self.assertEqual(draws.output_biases.tolist(), [0, 1, 2, 3, 4, 5])
        np.testing.assert_array_equal(draws.hidden_weights[3], arrays["dense1.weight"][1, 0])


class FakeServer:
    """Stands in for posteriorctl; keeps what is uploaded."""

    def __init__(self) -> None:
        self.uploaded: list[dict[str, Any]] = []

    def datasets(self) -> list[dict[str, Any]]:
        return self.uploaded

    def upload(self, path: Path, display_name: str, *arguments: str) -> str:
        name = f"datasets/{len(self.uploaded)}"
        self.uploaded.append({"name": name, "display_name": display_name,
                              "text": path.read_text(encoding="ascii"), "arguments": arguments})
        return name


class DataTest(unittest.TestCase):
    def setUp(self) -> None:
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = Path(place.name)
        for name in uci_data.TARGETS:
            self.write(name, "".join(f"{row} 1.50 {row * row}\n" for row in range(10)))

    def write(self, name: str, text: str) -> None:
        (self.folder / f"{name}.data").write_text(text, encoding="ascii")

    def summary(self) -> dict[str, Any]:
        """What the server says of the first split."""
        table = np.array(uci_data.read(self.folder, "yacht"), dtype=float)
        train = table[~splits.is_test(10, uci_data.TEST_FRACTION, 1)]
        means, scales = train.mean(axis=0).tolist(), train.std(axis=0).tolist()
        return {"test_samples": "2", "input_means": means[:2], "input_scales": [scales[0], 1.0],
                "target_means": means[2:], "target_scales": scales[2:]}

    def test_a_table_becomes_csv_with_a_header(self) -> None:
        self.assertEqual(uci_data.to_csv([["0.10", "2", "-3"], ["4", "5", "6"]], "y"),
                         "x1,x2,y\n0.10,2,-3\n4,5,6\n")

    def test_what_is_no_table_is_refused(self) -> None:
        for text in ("", "1 2\n", "1 2\n3\n", "1\n2\n"):
            self.write("yacht", text)
            with self.assertRaisesRegex(uci_data.UciError, "no table"):
                uci_data.read(self.folder, "yacht")

    def test_a_missing_file_is_named(self) -> None:
        with self.assertRaisesRegex(uci_data.UciError, "absent.data.*--uci"):
            uci_data.read(self.folder, "absent")

    def test_a_split_is_uploaded_once(self) -> None:
        server = FakeServer()
        names = [uci_data.upload(server, self.folder, "yacht", seed) for seed in (1, 2, 1)]
        self.assertEqual(names, ["datasets/0", "datasets/1", "datasets/0"])
        self.assertIn(("--split-seed", "2"), itertools.pairwise(server.uploaded[1]["arguments"]))
        self.assertTrue(server.uploaded[0]["text"].startswith("x1,x2,resistance\n0,1.50,0\n"))

    def test_test_rows_are_standardised_by_the_training_rows(self) -> None:
        summary = self.summary()
        test = uci_data.held_out(self.folder, "yacht", 1, summary)
        rows = np.flatnonzero(splits.is_test(10, uci_data.TEST_FRACTION, 1))
        np.testing.assert_allclose(
            test.scale * test.targets + summary["target_means"][0], rows**2, atol=1e-12
        )
        np.testing.assert_array_equal(test.inputs[:, 1], [0, 0])

    def test_another_split_than_the_server_has_is_noticed(self) -> None:
        with self.assertRaisesRegex(uci_data.UciError, "other rows"):
            uci_data.held_out(self.folder, "yacht", 2, self.summary())

    def test_the_plan_has_a_job_per_data_set_split_and_method(self) -> None:
        wanted = options.parse(["--uci", str(self.folder), "--uci-splits", "3"])
        server = FakeServer()
        requests = uci.plan(wanted, server)
        self.assertEqual(len(server.uploaded), 2 * 3)
        self.assertEqual(len({each.digest for each in requests.values()}), 2 * 3 * 5)
        for request in requests.values():
            network = request.spec["network"]
            classical = network["posterior"] == "POSTERIOR_CLASSICAL"
            self.assertEqual("noise_variance" in network, not classical)
            self.assertEqual(network["layers"][-1]["noise_variance"], wanted.uci_output_noise)

    def test_the_worst_probe_counts(self) -> None:
        probe = {"rhat": 1.1, "bulk_effective_sample_size": 50.0}
        summary = {"probe0.output0": probe, "test_error": {"rhat": 9.0}}
        self.assertEqual(uci.worst_probe(summary), {"rhat": 1.1, "effective_samples": 50.0})
        for rhat in ({"rhat": "Infinity"}, {}):
            summary["probe1.output0"] = {"bulk_effective_sample_size": 7.0} | rhat
            self.assertEqual(uci.worst_probe(summary), {"rhat": None, "effective_samples": 7.0})

    def test_nuts_gets_no_more_gradients_than_hmc(self) -> None:
        for steps in (100, 300, 12345):
            made = uci.nuts_steps(steps) * uci.NUTS_LEAPFROG_STEPS
            self.assertLessEqual(made, steps * uci.HMC_LEAPFROG_STEPS)
            self.assertGreater(made + uci.NUTS_LEAPFROG_STEPS, steps * uci.HMC_LEAPFROG_STEPS)

    def test_without_data_the_figure_is_left_out_and_that_is_said(self) -> None:
        planned: list[str] = []
        figures = {name: mock.Mock(plan=lambda *_, name=name: planned.append(name) or {},
                                   evaluate=lambda *_: {}, OPTIONS=())
                   for name in options.FIGURES}
        with (
            mock.patch.object(driver, "FIGURES", figures),
            mock.patch.object(driver, "publish"),
            mock.patch.object(driver.jobs, "forgotten", return_value=[]),
            mock.patch("sys.stderr", new_callable=io.StringIO) as said,
        ):
            driver.main(["--out", str(self.folder / "out")])
        self.assertEqual(planned, [name for name in options.FIGURES if name != "uci"])
        self.assertIn("uci is left out: --uci DIR", said.getvalue())


if __name__ == "__main__":
    unittest.main()
