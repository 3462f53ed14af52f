#!/usr/bin/env python3
"""Writes docs/validation.md from the JSON results of the statistical tests (see validate.sh)."""

import argparse
import json
import pathlib
from typing import NamedTuple

GOOGLETEST_KEYS = {
    "name", "type_param", "value_param", "status", "result", "timestamp", "time", "classname",
    "file", "line", "failures",
}

PROGRAMS = {
    "random": "Conditionals and random numbers against quadrature and high-precision arithmetic",
    "layers": "Conjugate updates of layers against exact means and covariances",
    "likelihood": "Likelihoods against exact conditionals",
    "posterior": "Log posteriors and gradients against definitions and finite differences",
    "kernels": "HMC, MALA and NUTS: reversibility, energy errors, adaptation, known posteriors",
    "sampling": "Whole samplers: joint distributions, calibration, agreement with each other",
    "diagnostics": "Statistics of chains against golden values; rates of the thermalization verdict",
}


class Result(NamedTuple):
    """One test."""

    program: str
    name: str
    passed: bool
    skipped: bool
    seconds: float
    properties: dict[str, str]


def read_results(directory: pathlib.Path) -> list[Result]:
    """All tests of a run, in the order of their programs and names."""
    results = []
    for file in sorted(directory.glob("*.json")):
        program = file.name.split(".")[0]
        for suite in json.loads(file.read_text())["testsuites"]:
            for test in suite["testsuite"]:
                results.append(
                    Result(
                        program=program,
                        name=f"{suite['name']}.{test['name']}",
                        passed="failures" not in test,
                        skipped=test["result"] == "SKIPPED",
                        seconds=float(test["time"].rstrip("s")),
                        properties={k: v for k, v in test.items() if k not in GOOGLETEST_KEYS},
                    )
                )
    return results


def overview(results: list[Result]) -> list[str]:
    """A table with a line per program."""
    lines = ["| what | tests | failed | CPU time |", "|---|---|---|---|"]
    for program, title in PROGRAMS.items():
        own = [r for r in results if r.program == program and not r.skipped]
        failed = sum(not r.passed for r in own)
        lines.append(f"| {title} | {len(own)} | {failed} | {sum(r.seconds for r in own):.0f} s |")
    return lines


def measured(results: list[Result]) -> list[str]:
    """A table with a line per test that recorded what it measured."""
    lines = ["| test | outcome | measured |", "|---|---|---|"]
    for result in results:
        if not result.properties:
            continue
        values = ", ".join(f"{k.replace('_', ' ')} {shorten(v)}" for k, v in result.properties.items())
        outcome = "passed" if result.passed else "**failed**"
        lines.append(f"| {result.name} | {outcome} | {values} |")
    return lines


def shorten(value: str | int) -> str:
    """A number with the digits that a reader wants; anything else as it is."""
    try:
        return f"{float(value):.4g}"
    except ValueError:
        return str(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("--effort", type=int, required=True)
    parser.add_argument("--seconds", type=int, required=True)
    arguments = parser.parse_args()
    results = read_results(arguments.results)
    failed = [r.name for r in results if not r.passed]
    print(
        "\n".join(
            [
                "# Validation of the samplers",
                "",
                "<!-- Written by scripts/validate.sh; do not edit. -->",
                "",
                f"Written by `scripts/validate.sh {arguments.effort}`: the statistical tests of "
                f"`scripts/test.sh` with {arguments.effort} times the samples, "
                f"{arguments.seconds // 60} minutes. Seeds are fixed, so the numbers repeat on the same "
                "numeric profile.",
                "",
                f"**{len(failed)} of {len(results)} tests failed.**" + "".join(f" {n}" for n in failed),
                "",
                *overview(results),
                "",
                "## What was measured",
                "",
                "`largest z` is the largest distance between two ways to compute an expectation, in "
                "standard errors, over so many `functions` (moments up to the fourth and products of "
                "parameters, latents, noise and targets). A right sampler stays below the `bound` except "
                "with probability 1e-6. Tests named after a mistake, such as *IsCaught*, give the sampler "
                "that mistake on purpose and pass when the bound is exceeded: they are the power of the "
                "others. Calibration tests give the p value of the uniformity of the teacher's rank for "
                "each observable.",
                "",
                *measured(results),
                "",
                "## What each kind of test compares",
                "",
                "- *Joint distribution* (Geweke, JASA 2004): parameters, latents and labels simulated forward "
                "from the model, by code that shares nothing with the samplers, against a chain that "
                "alternates between new labels and a step of the sampler.",
                "- *Calibration* (Talts et al., arXiv 1804.06788): the rank of a teacher drawn from the prior "
                "among the draws of a chain that starts from zero and sees its labels only, warm-up and "
                "adaptation included.",
                "- *Agreement*: means of observables by Gibbs, with and without collapsed moves, NUTS and HMC "
                "on one posterior.",
                "- *Known posteriors*: correlated Gaussian, funnel, eight schools and a regression, against "
                "exact or published values.",
                "- *Conditionals*: draws against the exact distribution by quadrature, at truncation depths "
                "up to 40 standard deviations, in single and double precision.",
            ]
        )
    )


if __name__ == "__main__":
    main()
