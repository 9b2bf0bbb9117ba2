"""Look, claim, run, commit: what happens around every step on every target.

Orchestrators may run a step twice, at once or hours later. A step may execute more than once; it commits once.
"""

from __future__ import annotations

import json
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from argosy.errors import ArgosyError, Outage
from argosy.launcher import artifacts, effects
from argosy.launcher.artifacts import artifacts_in
from argosy.launcher.attempt import Attempt, clear_folder, collect, prepare
from argosy.launcher.claims import claim
from argosy.launcher.deployment import serves
from argosy.launcher.endings import ending_of, is_full, room_hint
from argosy.launcher.executor import Request, call_quietly, describe
from argosy.launcher.leases import Lost, lease
from argosy.launcher.logs import keep_log, last_lines, log_beside, plain
from argosy.launcher.refs import move_ref, read_ref
from argosy.launcher.step import Outcome, Output, Step, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from argosy.launcher.key import Key, Project
    from argosy.launcher.store import Store


class Execute(Protocol):
    """Runs a request in a process of its own and returns that process's exit code (negative: its signal)."""

    def __call__(self, request: Request, *, log: Path, lock: int, timeout_s: float | None) -> int:
        """Run to the end; children die with their parent; `lock` is inherited."""


@dataclass(frozen=True)
class Context:
    """What a run gives to each of its steps.

    Attributes:
        state: This machine's folder for claims and scratch.
        env: Variables that every step's process sees and no key holds.
        forced: Names of steps that run whatever the store holds.
        hook: Called at named points around work and effects; kill tests stop the process there.
        attempt: What keeps the scratch folder of this process apart from that of a twin in the same run.

    """

    store: Store
    project: Project
    run: str
    state: Path
    execute: Execute
    env: Mapping[str, str] = field(default_factory=dict)
    forced: frozenset[str] = frozenset()
    cancelled: Callable[[], bool] = lambda: False
    hook: Callable[[str], None] = lambda _point: None
    attempt: str = ""


@dataclass(frozen=True)
class Job:
    """A step with its key, in the context of a run."""

    step: Step
    key: Key
    context: Context


def look(job: Job) -> Outcome | None:
    """Return how this step ended before, if that still holds; None means that it has to run.

    The answer comes from the record under the key for plain steps, from the ledger for facts, from the ref for moves
    and from the server for deployments.
    """
    if is_forced(job) and job.step.kind not in {"move", "deployment"}:
        return None
    return LOOK[job.step.kind](job)


def launch(job: Job) -> Outcome:
    """Bring one step to its end: reuse it, or claim, run and commit it.

    Errors of the step's code come back as a failed outcome; only mistakes in what the launcher was given raise.
    """
    if job.step.kind == "observe":
        return observe(job)
    name, context = _claim_name(job), job.context
    while True:
        # Whoever loses the claim before the work begins looks again.
        with (
            suppress(Lost),
            claim(context.state / "claims", name, context.cancelled) as lock,
            lease(context.store, name, context.cancelled) as require_claim,
        ):
            # The twin that we may have waited for has committed meanwhile.
            return look(job) or _run(replace(job, context=_fenced(context, require_claim)), lock)


def _fenced(context: Context, require_claim: Callable[[], None]) -> Context:
    """Have no step's code start once a twin may be at it."""

    def execute(request: Request, *, log: Path, lock: int, timeout_s: float | None) -> int:
        context.hook("before work")
        require_claim()
        return context.execute(request, log=log, lock=lock, timeout_s=timeout_s)

    return replace(context, execute=execute)


def observe(job: Job) -> Outcome:
    """Run an observing step in this process: never reused, and cheap by contract."""
    began = time.perf_counter()
    try:
        attempt = _prepare(job)
        call_quietly(attempt.request)
        outputs = collect(job.step, attempt, job.context.store)
    except ArgosyError as error:
        return Outcome("failed", job.key.digest, error=plain(str(error)), exit_code=error.exit_code)
    except BaseException as error:  # the border between a user's code and the planner
        if job.context.cancelled():
            raise
        traceback.print_exc()
        return Outcome("failed", job.key.digest, error=plain(describe(error)), exit_code=1)
    finally:
        _clear(job)
    return Outcome("observed", job.key.digest, outputs, time.perf_counter() - began)


def find_record(store: Store, key: str, *, reread: bool = False) -> tuple[int, Mapping[str, Any] | None]:
    """Return the highest generation under a key and its record, None if it or a blob of it is damaged."""
    generation, record = store.latest(f"steps/{key.removeprefix('sha256:')}")
    if record is None:
        return generation, None
    return generation, record if _is_sound(store, record, reread=reread) else None


def _look_step(job: Job) -> Outcome | None:
    record = find_record(job.context.store, job.key.digest)[1] if job.step.cache else None
    if record is None:
        return None
    return Outcome("reused", job.key.digest, _outputs(record["outputs"]), log=record.get("log", ""))


def _look_fact(job: Job) -> Outcome | None:
    return _reused(job, effects.effect_path(job.step.function, effects.natural_key(job.step)))


def _look_move(job: Job) -> Outcome | None:
    """A move is reused iff the ref holds its target and that generation's projection is done."""
    name, target, expected = _move(job.step)
    ref = read_ref(job.context.store, name)
    if target in ref.held:
        return _refused(job, "held", f"{target} was rolled back from {name}; `argosy release` lifts the hold")
    if ref.target != target:
        if ref.target != expected:
            return _refused(job, "superseded", f"{name} moved to {ref.target} meanwhile; run again")
        return None
    return _reused(job, effects.projection_path(name, ref.generation))


def _reused(job: Job, path: str) -> Outcome | None:
    entry = effects.read_done(job.context.store, path)
    if entry is None or not _is_sound(job.context.store, entry):
        return None
    return Outcome("reused", job.key.digest, _outputs(entry["outputs"]))


def _look_deployment(job: Job) -> Outcome | None:
    url = job.context.env.get("ARGOSY_SERVING_URL")
    if not url:
        return Outcome("skipped", job.key.digest, reason="no server is running here; `argosy serve` starts one")
    target = effects.natural_key(job.step)[job.step.natural_key[0]]
    return Outcome("reused", job.key.digest) if serves(url, target) else None


LOOK: Mapping[str, Callable[[Job], Outcome | None]] = {
    "step": _look_step,
    "fact": _look_fact,
    "move": _look_move,
    "deployment": _look_deployment,
    "observe": lambda _job: None,
}


def _run(job: Job, lock: int) -> Outcome:
    env: dict[str, str] = {}
    if job.step.kind == "fact":
        natural = effects.natural_key(job.step)
        path = effects.effect_path(job.step.function, natural)
        before = effects.read_done(job.context.store, path)
        effects.write_intent(job.context.store, path, natural)
        env["ARGOSY_EFFECT"] = path
    elif job.step.kind == "move":
        name, target, expected = _move(job.step)
        job.context.hook("before move")
        verdict, ref = move_ref(
            job.context.store, name, target, expected=expected, cause={"run": job.context.run, "step": job.step.name}
        )
        job.context.hook("after move")
        if verdict != "promoted":
            return _refused(job, verdict, f"{name} holds {ref.target}; run again")
        path = effects.projection_path(name, ref.generation)
        natural = {"ref": name, "generation": ref.generation}
        before = effects.read_done(job.context.store, path)
        effects.write_intent(job.context.store, path, natural)
        env["ARGOSY_REF"] = json.dumps(ref.to_json())
        env["ARGOSY_EFFECT"] = path
    outcome = _attempt(job, lock, env)
    if outcome.status == "ran" and job.step.kind in {"fact", "move"}:
        job.context.hook("before done")
        # A twin that took our claim over while we slept may be through; what it yielded stands.
        if effects.read_done(job.context.store, path) != before and (done := look(job)):
            return done
        effects.write_done(job.context.store, path, natural, _documents(outcome.outputs))
        job.context.hook("after done")
    return outcome


def _attempt(job: Job, lock: int, env: Mapping[str, str]) -> Outcome:
    began = time.perf_counter()
    try:
        attempt = _prepare(job, env)
        code = job.context.execute(attempt.request, log=attempt.log, lock=lock, timeout_s=job.step.timeout_s)
        seconds = time.perf_counter() - began
        if code != 0:
            return replace(_failed(job, *_why(job, attempt, code)), seconds=seconds)
        log = keep_log(job.context.store, attempt.log)
        outputs: Mapping[str, Output] = collect(job.step, attempt, job.context.store)
        if job.step.kind == "step":
            outputs = _commit(job, outputs, log=log, seconds=seconds)
        return Outcome("ran", job.key.digest, outputs, seconds, log=log)
    except ArgosyError as error:
        return replace(_failed(job, str(error), error.exit_code), seconds=time.perf_counter() - began)
    except OSError as error:  # no room, or what the step's code made of its scratch folder
        outcome = _failed(job, f"scratch folder: {error}", Outage.exit_code if is_full(error) else 1)
        return replace(outcome, seconds=time.perf_counter() - began)
    finally:
        _clear(job)


def _commit(job: Job, outputs: Mapping[str, Output], *, log: str, seconds: float) -> Mapping[str, Output]:
    """Write the record create-only; whoever comes second takes the first one's result."""
    folder = f"steps/{job.key.digest.removeprefix('sha256:')}"
    generation, valid = find_record(job.context.store, job.key.digest)
    if valid is not None and not is_forced(job) and job.step.cache:
        return _adopt(job, outputs, valid)
    record = {
        "key": job.key.document,
        "step": job.step.name,
        "run": job.context.run,
        "outputs": _documents(outputs),
        "seconds": round(seconds, 3),
        "log": log,
    }
    job.context.hook("before commit")
    if job.context.store.append(folder, generation + 1, record):
        job.context.hook("after commit")
        return outputs
    return _commit(job, outputs, log=log, seconds=seconds)


def _adopt(job: Job, ours: Mapping[str, Output], record: Mapping[str, Any]) -> Mapping[str, Output]:
    theirs = _outputs(record["outputs"])
    differing = [name for name, output in ours.items() if not output.measured and output != theirs[name]]
    if differing:
        event = {
            "key": job.key.digest,
            "step": job.step.name,
            "outputs": differing,
            "runs": [record["run"], job.context.run],
        }
        job.context.store.create_json(
            f"audit/nondeterminism/{job.key.digest.removeprefix('sha256:')}-{job.context.run}.json", event
        )
    return theirs


def _failed(job: Job, message: str, exit_code: int) -> Outcome:
    """Return the outcome of a failed step, with its log and what there is to say of it."""
    message = plain(message) + room_hint(_scratch(job))
    # Where the scratch folder filled the disk, its end makes room for the log.
    clear_folder(_scratch(job))
    file, log = log_beside(_scratch(job)), ""
    with suppress(ArgosyError):  # why the step failed counts for more than its log
        log = keep_log(job.context.store, file)
    return Outcome("failed", job.key.digest, error=message, exit_code=exit_code, log=log, tail=last_lines(file))


def _why(job: Job, attempt: Attempt, code: int) -> tuple[str, int]:
    """Return why a step's process failed, and the exit code that this means for the run."""
    file = attempt.request.error_file
    if code == TIMED_OUT:
        return f"the step's process took longer than its {job.step.timeout_s:g} s and was ended", 1
    if file.exists():
        report = json.loads(file.read_text(encoding="utf-8"))
        return report["message"], report["exit_code"]
    return f"the step's process {ending_of(code)}", 1


TIMED_OUT = -1000
"""What `Execute` returns for a process that it ended because its time was over."""


def _prepare(job: Job, env: Mapping[str, str] | None = None) -> Attempt:
    digests = {name: shown(entry.value) for name, entry in job.step.inputs.items() if artifacts_in(entry.value)}
    told = {**job.context.env, **(env or {}), "ARGOSY_INPUTS": json.dumps(digests)}
    return prepare(job.step, job.key, job.context.project, job.context.store, folder=_scratch(job), env=told)


def is_forced(job: Job) -> bool:
    """Say whether this step is to run in any case: by its own name, or by its task's, which has several in a loop."""
    return not job.context.forced.isdisjoint({job.step.name, job.step.name.partition("[")[0]})


def _clear(job: Job) -> None:
    clear_folder(_scratch(job))
    log_beside(_scratch(job)).unlink(missing_ok=True)


def _scratch(job: Job) -> Path:
    return job.context.state / "scratch" / f"{job.context.run}{job.context.attempt}" / job.step.name


def _move(step: Step) -> tuple[str, str, str | None]:
    """Return the ref's name, the target and the expected digest of a move, from its natural key."""
    name, target, expected = step.natural_key
    champion = step.inputs[expected].value
    # An empty folder is how an artifact says "no champion yet": its only blob is its manifest.
    observed = champion.digest if len(champion.blobs) > 1 else None
    return str(step.inputs[name].value), step.inputs[target].value.digest, observed


def _claim_name(job: Job) -> str:
    """Effects are claimed by what they act on, so that two runs never act at once."""
    if job.step.kind == "move":
        return effects.projection_path(_move(job.step)[0], 0).rsplit("/", 1)[1]
    if job.step.kind == "fact":
        return effects.effect_path(job.step.function, effects.natural_key(job.step)).rsplit("/", 1)[1]
    return job.key.digest


def _refused(job: Job, verdict: str, reason: str) -> Outcome:
    value = {"verdict": verdict, "ok": False, "reasons": [reason]}
    return Outcome("skipped", job.key.digest, {"verdict": Output(value)}, reason=reason, exit_code=3)


def _is_sound(store: Store, entry: Mapping[str, Any], *, reread: bool = False) -> bool:
    """Say whether every blob that a record or a ledger entry names is there and undamaged."""
    values = [output.value for output in _outputs(entry["outputs"]).values()]
    named = [artifact for value in values for artifact in artifacts_in(value)]
    return all(artifacts.is_sound(store, artifact, reread=reread) for artifact in named)


def _outputs(documents: Mapping[str, Any]) -> dict[str, Output]:
    return {name: Output.from_json(document) for name, document in documents.items()}


def _documents(outputs: Mapping[str, Output]) -> dict[str, Any]:
    return {name: output.to_json() for name, output in outputs.items()}
