"""`argosy compile`: PipelineSpecs as files that a reviewer reads and CI compares."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from argosy.commands.printing import print_line
from argosy.errors import Mistake
from argosy.project import catalogue, compiled_spec
from argosy.session import open_session

if TYPE_CHECKING:
    from argosy.session import Session


def compile_catalogue(name: str | None, out: str, *, check: bool) -> None:
    """Write, or compare, the spec of one pipeline or of all.

    Raises:
        Mistake: With `check`, a file is missing or differs from what compiles now.

    """
    session = open_session()
    names = [name] if name else catalogue(session.settings)
    stale = []
    for each in names:
        file = session.settings.root / out / f"{each}.yaml"
        text = spec_text(each, session)
        if check:
            stale += [str(file)] if not file.is_file() or file.read_text(encoding="utf-8") != text else []
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            print_line(str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else str(file))
    if stale:
        raise Mistake(f"stale: {', '.join(stale)}; run `argosy compile` and commit what it writes")


def spec_text(name: str, session: Session) -> str:
    """Return a pipeline's spec as YAML: the PipelineSpec, and the platform spec where there is one."""
    spec = compiled_spec(name, session.settings, session.project, anew=True)
    documents = [spec["pipeline_spec"], *([spec["platform_spec"]] if spec.get("platform_spec") else [])]
    return yaml.safe_dump_all(documents, sort_keys=True, width=120, allow_unicode=True)
