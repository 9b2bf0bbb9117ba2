"""`argosy compile`: what a target is given, as files that a reviewer reads and CI compares."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from argosy.commands.printing import print_line
from argosy.errors import Mistake
from argosy.kubeflow.wrap import wrap
from argosy.project import catalogue, compiled_spec
from argosy.session import open_session
from argosy.spec.documents import parse_documents
from argosy.spec.read import read_pipeline
from argosy.spec.yaml_dumper import ONE_LINE, BlockDumper

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from argosy.argo.wanted import Kind
    from argosy.project import Settings
    from argosy.session import Session
    from argosy.spec.model import Pipeline

FILES = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Manifest:
    """What Kubeflow is given: a wrapped PipelineSpec, and the platform spec, which may be empty."""

    spec: Mapping[str, Any]
    platform: Mapping[str, Any]

    @property
    def document(self) -> Mapping[str, Any]:
        """The one object that its API takes."""
        return {"pipeline_spec": self.spec, "platform_spec": self.platform} if self.platform else self.spec

    def text(self) -> str:
        """Return YAML of one document or two, in which a source stands as it was written."""
        documents = [self.spec, *([self.platform] if self.platform else [])]
        return yaml.dump_all(documents, Dumper=BlockDumper, sort_keys=True, width=ONE_LINE, allow_unicode=True)


def compile_catalogue(name: str | None, out: str, target: Target, *, check: bool) -> None:
    """Write, or compare, what a target is given of one pipeline or of all.

    Args:
        name: Of the pipeline in the catalogue, or the path of a PipelineSpec; None for all of the catalogue.
        out: The folder, from the project's.
        target: Says what the files are to hold.
        check: Write nothing.

    Raises:
        Mistake: With `check`, a file is missing or differs from what compiles now.

    """
    session = open_session()
    names = [name] if name else catalogue(session.settings)
    stale = []
    for each in names:
        file = session.settings.root / out / f"{_called(each)}{target.ending}.yaml"
        text = target.text_of(each, session)
        if check:
            stale += [str(file)] if not file.is_file() or file.read_text(encoding="utf-8") != text else []
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            print_line(str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else str(file))
    if stale:
        again = " ".join(["argosy compile", *([name] if name else []), *target.options])
        raise Mistake(f"stale: {', '.join(stale)}; run `{again}` and commit what it writes")


@dataclass(frozen=True)
class Target:
    """Where pipelines are compiled for.

    Attributes:
        text_of: Returns the text of a file, given the name of a pipeline.
        options: The options of the command that ask for this target.
        ending: What stands behind the name of a pipeline in that of its file.

    """

    text_of: Callable[[str, Session], str]
    options: tuple[str, ...] = ()
    ending: str = ""


def kubeflow() -> Target:
    """Return the target Kubeflow: PipelineSpecs with the launcher in front of each step."""
    return Target(lambda name, session: manifest_of(name, session).text())


def argo(kind: Kind, schedule: str | None, timezone: str = "UTC", *, fuse: bool = False) -> Target:
    """Return the target Argo: a Workflow, or another kind of it; with `fuse` alike steps share pods."""

    def text_of(name: str, session: Session) -> str:
        from argosy.argo.emit import emit
        from argosy.argo.wanted import Wanted
        from argosy.argo.workflow import manifest

        lock, image = lock_of(session.settings), session.settings.image
        wanted = Wanted(kind, schedule, lock, image=image, fuse=fuse, timezone=timezone)
        return emit(manifest(_plan(name, session), wanted))

    options = ["--target argo", *([f"--kind {kind}"] if kind != "Workflow" else [])]
    options += [f"--schedule '{schedule}'"] if schedule else []
    options += [f"--timezone {timezone}"] if timezone != "UTC" else []
    options += ["--fuse"] if fuse else []
    ending = {"WorkflowTemplate": "-template", "CronWorkflow": "-cron"}.get(kind, "") + ("-fused" if fuse else "")
    return Target(text_of, tuple(options), ending)


def _plan(name: str, session: Session) -> Pipeline:
    if name.endswith(FILES):
        return read_pipeline(Path(name))
    return read_pipeline(compiled_spec(name, session.settings, session.project, anew=True))


def _called(name: str) -> str:
    return Path(name).stem if name.endswith(FILES) else name


def manifest_of(name: str, session: Session, *, env: Mapping[str, str] | None = None) -> Manifest:
    """Compile a catalogued pipeline, or read the PipelineSpec of a file, and put the launcher in front of its steps.

    Args:
        name: Of the pipeline in the catalogue, or a path.
        session: The project's.
        env: Variables that every step's container is given beside its own.

    """
    if name.endswith(FILES):
        spec, platform = parse_documents(_read(Path(name)))
    else:
        compiled = compiled_spec(name, session.settings, session.project, anew=True)
        spec, platform = dict(compiled["pipeline_spec"]), dict(compiled.get("platform_spec") or {})
    wrapped = wrap(spec, lock=lock_of(session.settings), env=env)
    for component, reason in wrapped.left.items():
        sys.stderr.write(f"argosy: {component} is left to Kubeflow as it is: {reason}\n")
    return Manifest(wrapped.spec, platform)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Mistake(f"{file}: cannot be read: {error}; give a PipelineSpec or a name of the catalogue") from error


def lock_of(settings: Settings) -> str | None:
    """Return the lock as the image of the project has it: relative to the project."""
    if settings.lock is None or not settings.lock.is_relative_to(settings.root):
        return None
    return settings.lock.relative_to(settings.root).as_posix()
