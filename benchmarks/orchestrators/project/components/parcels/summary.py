"""The metrics as a file, and as a text for people."""

from __future__ import annotations

import json
from pathlib import Path


def describe(metrics: dict[str, float]) -> str:
    """Return a Markdown table of metrics."""
    rows = [f"| {name} | {value:.4f} |" for name, value in metrics.items()]
    return "\n".join(["| metric | value |", "|---|---|", *rows, ""])


def read_metrics(path: str) -> dict[str, float]:
    """Read metrics."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_metrics(metrics: dict[str, float], path: str) -> None:
    """Write metrics."""
    write(json.dumps(metrics), path)


def write(text: str, path: str) -> None:
    """Write a text."""
    Path(path).write_text(text, encoding="utf-8")
