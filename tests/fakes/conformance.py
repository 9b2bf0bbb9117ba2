"""Kubeflow's own compiled pipelines, each run twice in a project of its own, held to what a table says of them."""

import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from argosy.errors import Mistake
from argosy.launcher.artifacts import materialize, read_manifest
from argosy.launcher.store import Store
from argosy.local.refusals import REFUSALS
from argosy.session import Request, execute, new_run, open_session
from argosy.spec.read import read_pipeline
from tests.fakes.engines import files_at
from tests.fakes.projects import argosy_command, project_env

TABLE = Path(__file__).parents[1] / "contract" / "conformance.toml"
ENDED_WELL = {"ran", "reused", "observed"}
PROGRAMS = ("sh", "echo", "printf", "mkdir", "dirname", "sleep", "jq", "git")
"""All that is installed where a case runs, so that no refusal depends on what else a machine has."""


@dataclass(frozen=True)
class Expected:
    """How a run ends; the words are explained at the head of the table."""

    runs: int = 0
    skipped: Sequence[str] = ()
    fails: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    logs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    left: Mapping[str, str] = field(default_factory=dict)

    @property
    def n_values(self) -> int:
        """How many values, texts and errors are compared."""
        nested = [*self.steps.values(), *self.logs.values()]
        return len(self.outputs) + len(self.fails) + len(self.left) + sum(len(each) for each in nested)


@dataclass(frozen=True)
class Case:
    """One file of the corpus; `expected` holds more than one where the pipeline throws a coin."""

    file: str
    given: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    patch: Sequence[tuple[str, str]] = ()
    patched: str = ""
    where: str = "true"
    again: Sequence[str] = ()
    refused: Sequence[str] = ()
    perhaps: Sequence[str] = ()
    asserts: bool = False
    disagrees: str = ""
    expected: Sequence[Expected] = ()

    @property
    def kind(self) -> str:
        """One of: executes, fails, refused, rejected."""
        if self.file.startswith("invalid/"):
            return "rejected"
        if self.refused:
            return "refused"
        return "fails" if self.expected[0].fails else "executes"

    @property
    def is_judged_here(self) -> bool:
        """Whether this machine is one that the table speaks of."""
        return subprocess.run(["sh", "-c", self.where], capture_output=True).returncode == 0


@dataclass(frozen=True)
class Ended:
    """What two runs of a file came to: their documents, or the lines of a refusal."""

    documents: tuple[Mapping[str, Any], ...] = ()
    refusal: tuple[str, ...] = ()
    cacheable: frozenset[str] = frozenset()
    store: Store | None = None
    files: Path = Path()


def corpus() -> Path | None:
    """Return the folder of the corpus, where there is one."""
    folder = os.environ.get("ARGOSY_CORPUS")
    return Path(folder) if folder else None


@cache
def cases() -> dict[str, Case]:
    """Read the table."""
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {file: _case(file, row) for file, row in rows.items()}


def _case(file: str, row: Mapping[str, Any]) -> Case:
    names = {each.name for each in fields(Expected)}
    shared = {name: value for name, value in row.items() if name in names}
    own = {name: value for name, value in row.items() if name not in names | {"one_of"}}
    return Case(file, **own, expected=tuple(Expected(**(shared | each)) for each in row.get("one_of", [{}])))


@dataclass(frozen=True)
class Place:
    """A project without code, a spec, and the files that a case speaks of."""

    project: Path
    spec: Path
    files: Path
    given: Mapping[str, Any]


Runner = Callable[[Place], dict[str, Any]]
"""Runs a spec in a project and returns the result document, or raises Mistake."""


def run_case(case: Case, folder: Path, *, corpus: Path, runner: Runner | None = None) -> Ended:
    """Run a file of the corpus twice, in this process where no other runner is given, with a store of its own."""
    place = _prepare(case, folder, corpus)
    env = {"PATH": str(_bare_path(folder / "bin")), "HOME": str(folder)} | dict(case.env)
    with _inside(place.project, env):
        try:
            documents = tuple((runner or run_in_session)(place) for _ in range(2))
        except Mistake as error:
            return Ended(refusal=tuple(str(error).replace(f"{folder}{os.sep}", "").splitlines()))
        cacheable = frozenset(task.name for task in read_pipeline(place.spec).tasks if task.cache)
        return Ended(documents, (), cacheable, open_session().store, place.files)


def _prepare(case: Case, folder: Path, corpus: Path) -> Place:
    files, project, spec = folder / "files", folder / "project", folder / Path(case.file).name
    for made in (files, project):
        made.mkdir(parents=True)
    (project / "pyproject.toml").write_text("[tool.argosy]\n", encoding="utf-8")
    for name, text in case.files.items():
        (files / name).write_text(text, encoding="utf-8")
    text = (corpus / case.file).read_text(encoding="utf-8")
    for old, new in case.patch:
        if old not in text:
            raise ValueError(f"{case.file} has no {old!r} to replace")
        text = text.replace(old, new.replace("$FILES", str(files)))
    spec.write_text(text, encoding="utf-8")
    texts = {name: value.replace("$FILES", str(files)) for name, value in case.given.items() if isinstance(value, str)}
    return Place(project, spec, files, dict(case.given) | texts)


def run_in_session(place: Place) -> dict[str, Any]:
    """Run a spec in this process."""
    request = Request(str(place.spec), place.given)
    session = open_session()
    run, run_id = new_run(session, request)
    return execute(session, run, run_id, request)[0]


def run_command(place: Place) -> dict[str, Any]:
    """Run a spec by `argosy run`, which ends with 1 where a step failed and with 2 where the run was refused."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in place.given.items()}
    given = [part for name, text in texts.items() for part in ("-p", f"{name}={text}")]
    command = argosy_command("run", place.spec, *given, "--output", "json")
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode == Mistake.exit_code:
        raise Mistake(ended.stderr.removeprefix("argosy: "))
    document = json.loads(ended.stdout)
    wanted = 0 if document["status"] == "succeeded" else 1
    return document if ended.returncode == wanted else document | {"status": f"exit code {ended.returncode}"}


def _bare_path(folder: Path) -> Path:
    folder.mkdir()
    found = {name: place for name in PROGRAMS if (place := shutil.which(name)) is not None}
    for name, place in found.items():
        (folder / name).symlink_to(place)
    return folder


@contextmanager
def _inside(project: Path, env: Mapping[str, str]) -> Iterator[None]:
    """Stand in a project, with the variables of a case and none that tell a session where its project is."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(project_env(project, **env))
    try:
        with chdir(project):
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def disagreements(case: Case, ended: Ended) -> list[str]:
    """Return in what a case came out otherwise than the table says."""
    if case.kind == "rejected":
        said = "\n".join(ended.refusal)
        return [f"not said: {text}" for text in case.refused if text not in said]
    if case.kind == "refused" or ended.refusal:
        return _wrongly_refused(case, ended)
    found = []
    for number, document in enumerate(ended.documents, 1):
        each = [_otherwise(expected, document, ended) for expected in case.expected]
        found += [f"run {number}: {line}" for line in min(each, key=len)]
    return found + _done_again(case, ended)


def _wrongly_refused(case: Case, ended: Ended) -> list[str]:
    if not ended.refusal:
        return ["not refused"]
    said = [line.partition(": ") for line in ended.refusal]
    found = []
    for expected in case.refused:
        task, _, lack = expected.partition(": ")
        if not any(f"tasks.{task}" in tasks.split(", ") and rest.startswith(lack) for tasks, _, rest in said):
            found.append(f"not refused for {expected}")
    unknown = {rest.partition(" (")[0] for _, _, rest in said} - constructs(case) - set(case.perhaps)
    return found + [f"refused for {construct!r}, too: {ended.refusal}" for construct in sorted(unknown)]


def constructs(case: Case) -> set[str]:
    """Return the constructs that a case is refused for, each with its row in the table of refusals."""
    found = {line.partition(": ")[2].partition(" (")[0] for line in case.refused}
    return found & REFUSALS.keys()


def _otherwise(expected: Expected, document: Mapping[str, Any], ended: Ended) -> list[str]:
    steps = {step["name"]: step for step in document["steps"]}
    statuses = {name: step["status"] for name, step in steps.items()}
    errors = "".join(f"; {name}: {step['error']}" for name, step in steps.items() if step.get("error"))
    values = [("status", "failed" if expected.fails else "succeeded", document["status"] + errors)]
    values += [("ended well", expected.runs, sum(status in ENDED_WELL for status in statuses.values()))]
    values += [("skipped", sorted(expected.skipped), sorted(n for n, s in statuses.items() if s == "skipped"))]
    values += [("failed", sorted(expected.fails), sorted(n for n, s in statuses.items() if s == "failed"))]
    values += [(f"left {name}", text, (ended.files / name).read_text()) for name, text in expected.left.items()]
    found = [f"{what}: {got!r}, not {wanted!r}" for what, wanted, got in values if _status(got, what) != wanted]
    found += _unequal("outputs", expected.outputs, document["outputs"], ended.store)
    for name, outputs in expected.steps.items():
        found += _unequal(name, outputs, steps.get(name, {}).get("outputs", {}), ended.store)
    for name, texts in expected.logs.items():
        found += _not_printed(name, texts, steps.get(name, {}).get("log"), ended.store)
    errors_by_name = {name: str(step["error"]) for name, step in steps.items() if step.get("error")}
    return found + [
        f"{n}: {errors_by_name.get(n)}" for n, t in expected.fails.items() if t not in errors_by_name.get(n, "")
    ]


def _status(got: Any, what: str) -> Any:
    return got.partition(";")[0] if what == "status" else got


def _unequal(place: str, wanted: Mapping[str, Any], got: Mapping[str, Any], store: Store | None) -> list[str]:
    found = {name: _as_wanted(value, got.get(name), store) for name, value in wanted.items()}
    return [f"{place}.{name}: {found[name]!r}, not {value!r}" for name, value in wanted.items() if found[name] != value]


def _as_wanted(wanted: Any, got: Any, store: Store | None) -> Any:
    """Return a value as the table writes it: an artifact as the parts that the table speaks of."""
    if isinstance(got, list) and isinstance(wanted, list) and len(got) == len(wanted):
        return [_as_wanted(one, other, store) for one, other in zip(wanted, got, strict=True)]
    if not (isinstance(got, str) and got.startswith("sha256:")):
        return got
    metadata = read_manifest(store, got)["metadata"]
    parts = {"metadata": metadata, "fields": sorted(metadata), "file": _text(store, got)}
    return {name: parts[name] for name in parts if name in wanted}


def _text(store: Store, digest: str) -> str | None:
    place = store.root / "looked-at" / digest
    if not place.exists():
        place.parent.mkdir(exist_ok=True)
        materialize(store, digest, place)
    data = files_at(place).get("")
    return None if data is None else data.decode()


def _not_printed(name: str, texts: Sequence[str], log: str | None, store: Store | None) -> list[str]:
    data = store.read_blob(log.removeprefix("sha256:")) if log else None
    said, at = (data or b"").decode(), 0
    for text in texts:
        at = said.find(text, at)
        if at < 0:
            return [f"{name} did not print {text!r} (in this order): {said[-500:]!r}"]
    return []


def _done_again(case: Case, ended: Ended) -> list[str]:
    """Return the steps that executed a second time although nothing that they are given has changed."""
    once = ended.cacheable - {*case.again, *case.expected[0].fails}
    executed = [step["name"] for step in ended.documents[1]["steps"] if step["status"] in {"ran", "failed"}]
    return [f"executed again: {name}" for name in executed if name.partition("[")[0] in once]
