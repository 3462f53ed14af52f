"""The document that compares our figures with the authors'."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

from bench.reproduce import markdown, options
from bench.reproduce.posteriorctl import Json

_HEAD = """\
# Reproduction of the paper

What comes out when the experiments of C. Piccioli, E. Troiani, L. Zdeborová, *Gibbs sampling the
posterior of neural networks* ([arXiv 2306.02729](https://arxiv.org/abs/2306.02729)) are run on a
`posteriord` server by its command line. This file is written by `scripts/reproduce.sh` from
[{folder}/results.json]({folder}/results.json); all numbers called ours come from there, theirs from
the [result files]({targets}) that the authors published.

The reference problem has 2,084 training samples of 50 Gaussian inputs, 10 hidden ReLU units and one
output, biases, prior precisions equal to the fan-in, and labels of a teacher with random weights.
Errors are those of the network's noise-free output on 2,000 test inputs. A distance "in errors" is
ours minus theirs over the standard error of that difference. Ours and theirs are said to disagree
when chance alone makes the distance as large in less than 0.3 % of cases: beyond three errors for
many teachers, beyond more for few, by Student's t. Every figure says at which scale it was run;
where that is less than the authors', it tests less."""


def document(results: Json, figures: Mapping[str, ModuleType], folder: str, targets: str) -> str:
    """Returns the Markdown text; `folder` holds the images, `targets` the authors' numbers."""
    parts = [_HEAD.format(folder=folder, targets=targets)]
    for name in options.FIGURES:
        if name not in results:
            continue
        figure = figures[name]
        result = results[name]
        parts.append(f"## {figure.TITLE}")
        parts.append(f"```sh\n{result['command']}\n```")
        parts.append(figure.describe(result["findings"]))
        parts.append(f"![{figure.TITLE}]({folder}/{name}.png)")
    return markdown.reflow("\n\n".join(parts)) + "\n"
