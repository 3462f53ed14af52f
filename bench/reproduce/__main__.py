"""Runs the experiments, draws the figures and writes the document."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from bench.reproduce import jobs, options, report, results, targets
from bench.reproduce.figures import fig1, fig2, fig3, fig4, plateaus, population, uci
from bench.reproduce.mnist import MnistError
from bench.reproduce.posteriorctl import Json, Posteriorctl, PosteriorctlError
from bench.reproduce.uci_data import UciError

FIGURES: dict[str, ModuleType] = {
    "plateaus": plateaus,
    "fig1": fig1,
    "fig2": fig2,
    "fig3": fig3,
    "fig4": fig4,
    "population": population,
    "uci": uci,
}


def publish(found: Json, names: Sequence[str], out: Path) -> None:
    """Draws figures and writes the document beside the directory `out`."""
    for name in names:
        FIGURES[name].draw(found[name]["findings"], out / f"{name}.png")
    document = out.with_name(out.name + ".md")
    numbers = os.path.relpath(targets.FOLDER, document.parent.resolve())
    document.write_text(report.document(found, FIGURES, out.name, numbers), encoding="utf-8")
    print(f"\n{', '.join(names)}: {out}, {document}", file=sys.stderr)


def main(arguments: Sequence[str]) -> None:
    """Does what the command line says."""
    wanted = options.parse(arguments)
    names = [name for name in options.FIGURES if name in wanted.figures]
    file = wanted.out / "results.json"
    found = results.load(file)
    if wanted.redraw:
        publish(found, [name for name in names if name in found], wanted.out)
        return
    if "uci" in names and wanted.uci is None:  # not by name, which the options refuse
        names.remove("uci")
        print("uci is left out: --uci DIR names the directory with its data", file=sys.stderr)

    program = Posteriorctl(wanted.bin_dir / "client/posteriorctl/posteriorctl")
    plans = {name: FIGURES[name].plan(wanted, program) for name in names}
    requests = [request for plan in plans.values() for request in plan.values()]
    others = jobs.forgotten(program, requests)
    if others:
        print(f"Besides, {len(others)} unfinished jobs of an earlier call go on; to stop one: "
              f"posteriorctl job cancel {others[0]}", file=sys.stderr)
    campaign = jobs.Campaign(program, requests, wanted.at_once)
    for name in names:
        figure = FIGURES[name]
        outcomes = campaign.finish(plans[name])
        found[name] = {
            "command": options.command(name, wanted, figure.OPTIONS),
            "findings": figure.evaluate(wanted, outcomes),
        }
        results.save(file, found)
        publish(found, [name], wanted.out)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (PosteriorctlError, MnistError, UciError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
