"""Serve what a JSON file names, as a ref would: `following_server.py FILE PORT`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from argosy.serving.app import serve
from argosy.serving.follow import Target


def read_target(file: Path) -> Target | None:
    """Return what the file names; None while there is no file."""
    if not file.exists():
        return None
    named = json.loads(file.read_text())
    return Target(**{**named, "folder": Path(named["folder"])})


def write_target(file: Path, target: Target) -> None:
    """Name a model, in one step."""
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps({**vars(target), "folder": str(target.folder)}))
    draft.replace(file)


if __name__ == "__main__":
    serve(lambda: read_target(Path(sys.argv[1])), port=int(sys.argv[2]))
