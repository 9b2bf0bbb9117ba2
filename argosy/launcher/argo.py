"""Runs the launcher in a pod of Argo.

    python3 -m argosy.launcher.argo --step {...} --source FILE --outputs FOLDER --input NAME=TEXT ... --beside FOLDER

`--step` says what the component is, `--source` where its Python lies, each `--input` what the task is given, in the
texts of `argosy.launcher.parameters`, `--beside` where the container of a program waits, each `--run` what its
arguments name of the run. A file for each output is left in the folder, where Argo collects it.
The pod's environment names the store (`ARGOSY_STORE`) and the project's folder in the image (`ARGOSY_PROJECT`).
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from argosy.errors import ArgosyError, Mistake, StepFailed
from argosy.launcher.attempt import TYPES, normal_value
from argosy.launcher.beside import execute_beside, release
from argosy.launcher.canonical import EXPANDED, digest_of
from argosy.launcher.described import LIST, read_word, step_of, word_of
from argosy.launcher.key import changed_parts, code_part
from argosy.launcher.outside import Import, observe_import
from argosy.launcher.parameters import Texts, encode_items, encode_output, fitted
from argosy.launcher.placeholders import fill_run
from argosy.launcher.pod import exit_code_of, job_of, launch_and_tell, open_context, tell
from argosy.launcher.registration import PodEntry, now_text, register_pod, write_pod
from argosy.launcher.step import Input, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from argosy.launcher.key import Key
    from argosy.launcher.launch import Context
    from argosy.launcher.step import Kind, Step
    from argosy.launcher.store import Store

LAUNCH: Final = ("python3", "-m", "argosy.launcher.argo")
ITEMS: Final = "-items"
"""Behind the name of a list output that a loop runs over: its items as Argo expands them."""
BRACE: Final = "{argosy:"
"""What stands for `{` before another one in a source: Argo would substitute `{{`."""
DOLLAR: Final = "$argosy:"
"""What stands for `$` before another one or `(`: Argo hands a source over in a variable, where Kubernetes would."""

MOST_PARTS: Final = 8


@dataclass(frozen=True)
class Told:
    """What a pod is told of its component.

    Attributes:
        importer: The fields of what an importer takes in; empty for any other component.
        inputs: Types by name: a parameter's type, an artifact's schema title, that with `[]` for a list of them.
        outputs: As `inputs`.
        optional: Names of inputs that may be absent.
        defaults: Values by name for inputs that nobody gave.
        literals: Allowed values by name.
        items: Names of list outputs that loops run over.
        env: Names of the variables that the component sets.
        lock: The file that pins third-party versions, relative to the project.
        pipeline: The name of the pipeline.
        planned: The digest of the code that was planned with, a document in the store; empty where nobody planned.
        codes: The same by component, where the container runs several.

    """

    component: str
    function: str = ""
    packages: tuple[str, ...] = ()
    image: str = ""
    argv: tuple[str, ...] = ()
    importer: Mapping[str, Any] = field(default_factory=dict)
    kind: Kind = "step"
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    literals: Mapping[str, Any] = field(default_factory=dict)
    items: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    declared_env: tuple[str, ...] = ()
    measurements: tuple[str, ...] = ()
    natural_key: tuple[str, ...] = ()
    cache: bool = True
    salt: str = ""
    lock: str | None = None
    pipeline: str = ""
    planned: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)

    def to_text(self) -> str:
        """Return the word that stands in the manifest; what is as by default is left out."""
        return word_of(self)

    @staticmethod
    def from_text(text: str) -> Told:
        """Read the word.

        Raises:
            Mistake: It is of another version of Argosy.

        """
        return read_word(Told, text, made="workflow was compiled")


@dataclass(frozen=True)
class Pod:
    """What one pod was started with; `texts` are those of its inputs, by name.

    Attributes:
        run: What only the run knows, by the names that arguments of programs have for it.
        beside: The folder that it shares with the container that runs its program, where that has an image of its own.

    """

    told: Told
    source: Path | None
    outputs: Path
    texts: Mapping[str, str]
    beside: Path | None = None
    run: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def from_words(words: Sequence[str]) -> Pod:
        """Read a command line.

        Raises:
            Mistake: It has another form.

        """
        # Argo puts a word that is too long for a command line into a file, and `@` and its path in its place.
        words = [Path(word[1:]).read_text(encoding="utf-8") if word.startswith("@") else word for word in words]
        names, values = words[::2], words[1::2]
        known = {"--step", "--source", "--outputs", "--input", "--beside", "--run"}
        single = dict(zip(names, values, strict=False))
        if len(words) % 2 or not {"--step", "--outputs"} <= set(names) <= known:
            raise Mistake(
                f"usage: {' '.join(LAUNCH)} --step JSON [--source FILE] --outputs FOLDER [--input NAME=TEXT]... "
                "[--beside FOLDER] [--run NAME=TEXT]..."
            )
        given, run = (_pairs(words, word) for word in ("--input", "--run"))
        source = Path(single["--source"]) if "--source" in single else None
        beside = Path(single["--beside"]) if "--beside" in single else None
        return Pod(Told.from_text(single["--step"]), source, Path(single["--outputs"]), given, beside, run)


def _pairs(words: Sequence[str], word: str) -> dict[str, str]:
    found = [value.partition("=") for name, value in zip(words[::2], words[1::2], strict=True) if name == word]
    return {name: text for name, _, text in found}


def escape_source(source: str) -> str:
    """Return a source in which neither Argo nor Kubernetes finds anything to substitute.

    Raises:
        ValueError: The source holds what would stand for a brace or a dollar.

    """
    for mark in (BRACE, DOLLAR):
        if mark in source:
            raise ValueError(mark)
    while "{{" in source:
        source = source.replace("{{", BRACE + "{")
    return EXPANDED.sub(lambda _: DOLLAR, source)


def restore_source(text: str) -> str:
    """Return a source as its author wrote it."""
    return text.replace(BRACE, "{").replace(DOLLAR, "$")


def build_step(pod: Pod, store: Store) -> Step:
    """Rebuild the step from what the manifest says of its component and the texts of its inputs.

    Raises:
        Mistake: An input that is not optional has no value, or a text cannot be read.

    """
    told = pod.told
    source = restore_source(pod.source.read_text(encoding="utf-8")) if pod.source else ""
    told = replace(told, argv=tuple(fill_run(word, pod.run) for word in told.argv))
    return step_of(told, source=source, inputs=_inputs(pod, store), cache=told.cache, salt=told.salt)


def emit(pod: Pod, outcome: Outcome, store: Store) -> None:
    """Write the text of each output into its file; one that a verdict left out is absent."""
    pod.outputs.mkdir(parents=True, exist_ok=True)
    for name in pod.told.outputs:
        output = outcome.outputs.get(name)
        text = encode_output(output, outcome.key, name, store) if output else ""
        (pod.outputs / name).write_text(text, encoding="utf-8")
        if name in pod.told.items:
            items = encode_items(output, outcome.key, name, store) if output else ""
            (pod.outputs / f"{name}{ITEMS}").write_text(items, encoding="utf-8")


def run_pod(pod: Pod) -> int:
    """Bring the pod's step to its end, leave its outputs where Argo collects them, and return the exit code."""
    try:
        with open_context(pod.told.lock, os.environ.get("ARGOSY_RUN", "argo")) as context:
            outcome = _outcome(pod, context)
            if outcome.status != "failed":
                emit(pod, outcome, context.store)
            return outcome.exit_code
    finally:
        if pod.beside:
            release(pod.beside)


def _outcome(pod: Pod, context: Context) -> Outcome:
    """Bring the step of this attempt to its end, and note how that was."""
    entry = entry_of(pod, context)
    try:
        outcome = _brought_to_end(pod, context, entry)
    except ArgosyError as error:
        said = Outcome("failed", error=str(error), exit_code=error.exit_code)
        write_pod(context.store, replace(entry, outcome=said))
        raise
    write_pod(context.store, replace(entry, key=outcome.key, outcome=outcome))
    return outcome


def _brought_to_end(pod: Pod, context: Context, entry: PodEntry) -> Outcome:
    """Register this attempt, then look, run and commit."""
    store, pipeline = context.store, pod.told.pipeline
    if pod.told.importer:
        register_pod(store, pipeline, entry)
        return _import(pod, context)
    if pod.beside:
        context = replace(context, execute=execute_beside(pod.beside))
    job = job_of(build_step(pod, store), context)
    require_planned(pod.told.component, pod.told.planned, job.key, store)
    register_pod(store, pipeline, replace(entry, key=job.key.digest))
    return launch_and_tell(job)


def entry_of(pod: Pod, context: Context) -> PodEntry:
    """Return what there is to say of this attempt before it begins."""
    name = os.environ.get("ARGOSY_POD", f"{pod.told.component}{context.attempt}")
    return PodEntry(context.run, name, os.environ.get("ARGOSY_NODE", pod.told.component), "", now_text())


def _import(pod: Pod, context: Context) -> Outcome:
    told, inputs = pod.told, dict(_inputs(pod, context.store))
    asked = Import(**told.importer)
    outcome = observe_import(told.component, asked, inputs, told.outputs, store=context.store, place=told.component)
    tell(told.component, outcome)
    return outcome


def require_planned(component: str, planned: str, key: Key, store: Store) -> None:
    """Refuse to run other code than was planned with.

    Raises:
        Mistake: The pod holds other sources, packages or another Python.

    """
    ours = code_part(key.document)
    if not planned or digest_of(ours) == planned:
        return
    before = store.read_blob(planned.removeprefix("sha256:"))
    parts = changed_parts(json.loads(before), ours) if before else ["the code that was planned with is not known here"]
    raise Mistake(
        f"{component}: this pod does not hold what was planned with: {', '.join(parts[:MOST_PARTS])}; build the "
        "image from the files that you submit from, or submit from those that it was built from"
    )


def _inputs(pod: Pod, store: Store) -> Iterator[tuple[str, Input]]:
    told = pod.told
    for name, kind in told.inputs.items():
        place = f"{told.component}: input {name!r}"
        entry = Texts(store, place, of_artifacts=kind not in TYPES).read(pod.texts.get(name, ""))
        if entry is not None:
            yield name, _fitted(entry, name, told, place)
        elif name in told.defaults:
            yield name, Input(told.defaults[name], told.defaults[name])
        elif name not in told.optional:
            raise Mistake(
                f"{place}: its task gave no value, because it was skipped or failed; "
                "make the input optional, or give it a default"
            )


def _fitted(entry: Input, name: str, told: Told, place: str) -> Input:
    kind = told.inputs[name]
    entry = fitted(entry, kind, is_list=kind.endswith(LIST))
    if kind not in TYPES or (entry.value is None and name in told.optional):
        return entry
    try:
        value = normal_value(entry.value, kind, place)
    except StepFailed as error:
        raise Mistake(str(error)) from error
    allowed = told.literals.get(name)
    if allowed and value not in allowed:
        raise Mistake(f"{place}: got {value!r}; allowed: {', '.join(map(repr, allowed))}")
    return Input(value, entry.identity if entry.measured else value, entry.measured)


def main(words: Sequence[str]) -> int:
    """Run a pod's command line."""
    return exit_code_of(lambda: run_pod(Pod.from_words(words)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
