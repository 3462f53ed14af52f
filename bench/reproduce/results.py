"""The file results.json: what every figure and the document are made of."""

from __future__ import annotations

import json
from pathlib import Path

from bench.reproduce.posteriorctl import Json


def load(path: Path) -> Json:
    """Returns the results by figure; none when the file does not exist."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def save(path: Path, results: Json) -> None:
    """Writes the results, replacing the file at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    text = json.dumps(results, indent=1, allow_nan=False)
    new.write_text(text + "\n", encoding="utf-8")
    new.replace(path)
