"""Everything that compiles to Argo, one line each with its digest: `python -m tests.fakes.argo_documents`."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from argosy.argo.emit import emit
from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.errors import Unsupported
from argosy.launcher.canonical import digest_of_bytes
from argosy.spec.read import read_pipeline
from tests.fakes.argo_specs import CONSTRUCTS
from tests.fakes.conformance import corpus


def as_emitted(spec: Path | str | Mapping[str, Any]) -> str:
    """Return the Workflow of a spec."""
    return emit(manifest(read_pipeline(spec), Wanted()))


def documents_of_corpus() -> Iterator[Path]:
    """Yield the files of the corpus that compile."""
    for file in sorted((corpus() or Path()).glob("valid/**/*.yaml")):
        try:
            as_emitted(file)
        except Unsupported:
            continue
        yield file


def main() -> int:
    """Print a line for each construct, and for each file of the corpus where there is one."""
    named = {**CONSTRUCTS, **{str(file): file for file in documents_of_corpus()}}
    for name, spec in named.items():
        sys.stdout.write(f"{name} {digest_of_bytes(as_emitted(spec).encode())}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
