"""Say in one sentence how a run ended, and in a few figures what it produced."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from argosy.report.formats import DASH, count, digest, duration, finite, micros, number, plural, signed, text
from argosy.report.reading import STATUSES, mapping, rows, section, status_of, steps, texts
from argosy.report.shapes import all_gates, differences, online
from argosy.report.verdicts import reason_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST_REASON = 400
# A gate's verdict "failed" is a refusal; a reader would take the word for a crash.
REFUSALS = {"failed": "refused by", "rejected": "rejected by"}


@dataclass(frozen=True)
class Headline:
    """How a run ended: `tone` is good, no, bad or idle."""

    tone: str
    word: str
    sentence: str


@dataclass(frozen=True)
class Figure:
    """One key figure with the remark that makes it readable."""

    name: str
    value: str
    remark: str = ""


def headline(run: Mapping[str, Any]) -> Headline:
    """Return the verdict on the run: failed, refused and why, promoted, or nothing to do."""
    failed = [step for step in steps(run) if status_of(step) == "failed"]
    if failed:
        return _failure(failed)
    refusals = [verdict for verdict in rows(run.get("verdicts")) if verdict.get("ok") is False]
    if refusals:
        return _refusal(refusals[0], more=len(refusals) - 1)
    if run.get("status") == "failed":
        return Headline("bad", "Failed", "No step is to blame.")
    if run.get("status") != "succeeded":
        return Headline("idle", _capital(text(run.get("status") or "unknown", 40)), "The run did not finish.")
    return _success(run)


def key_figures(run: Mapping[str, Any]) -> list[Figure]:
    """Return the figures a reader asks for first; those that are not known are left out."""
    overall = mapping(section(run, "metrics").get("overall"))
    against = differences(run)
    figures = [
        _metric("AUC", overall.get("auc"), against.get("auc", {})),
        _metric("Log loss", overall.get("log_loss"), against.get("log_loss", {})),
        _metric("Brier score", overall.get("brier"), against.get("brier", {})),
        _gates(run),
        _latency(section(run, "latency")),
        _online(run),
        _course(run),
    ]
    return [figure for figure in figures if figure is not None]


def fates(steps: Sequence[Mapping[str, Any]]) -> str:
    """Count the steps by what became of them: `14 ran, 9 reused`."""
    counts = Counter(status_of(step) for step in steps)
    return ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])


def _failure(failed: Sequence[Mapping[str, Any]]) -> Headline:
    step = failed[0]
    lines = [part.strip() for part in str(step.get("error") or "").splitlines() if part.strip()]
    cause = _sentence(text(lines[-1], LONGEST_REASON)) if lines else "It left no message."
    others = f" {plural(len(failed) - 1, 'other step')} failed too." if len(failed) > 1 else ""
    return Headline("bad", f"Failed at {step['name']}", cause + others)


def _refusal(verdict: Mapping[str, Any], *, more: int) -> Headline:
    word = text(verdict.get("verdict") or "failed", 40)
    broken = [reason_of(gate) for gate in rows(verdict.get("gates")) if gate.get("ok") is False]
    reasons = broken or texts(verdict.get("reasons"))
    step = text(verdict.get("step") or "a gate", 80)
    because = _sentence(text(reasons[0], LONGEST_REASON)) if reasons else "It gave no reason."
    further = len(reasons[1:]) + more
    rest = f" There {'is' if further == 1 else 'are'} {plural(further, 'further reason')}." if further else ""
    return Headline("no", f"{_capital(REFUSALS.get(word, f'{word} at'))} {step}", because + rest)


def _success(run: Mapping[str, Any]) -> Headline:
    ran = [step for step in steps(run) if status_of(step) == "ran"]
    release = section(run, "release")
    gates = all_gates(run)
    held = f" after {plural(len(gates), 'gate')} held" if gates else ""
    model = digest(release.get("digest"))
    ref = text(release.get("ref") or "released", 80)
    if not ran and steps(run):
        stays = f"; model {model} stays {ref}" if model != DASH else ""
        return Headline("good", "Nothing to do", f"All finished work was reused{stays}.")
    if model != DASH:
        version = f" as version {number(release['version'])}" if finite(release.get("version")) else ""
        return Headline("good", "Promoted", f"Model {model} was promoted to {ref}{version}{held}.")
    return Headline("good", "Succeeded", f"All steps are done{held}.")


def _metric(name: str, value: object, against: Mapping[str, Any]) -> Figure | None:
    if finite(value) is None:
        return None
    difference = against.get("difference")
    remark = f"{signed(difference)} to champion" if finite(difference) is not None else ""
    return Figure(name, number(value), remark)


def _gates(run: Mapping[str, Any]) -> Figure | None:
    gates = all_gates(run)
    held = sum(gate.get("ok") is True for gate in gates)
    broken = len(gates) - held
    return Figure("Gates held", f"{held} of {len(gates)}", f"{broken or 'none'} broken") if gates else None


def _latency(latency: Mapping[str, Any]) -> Figure | None:
    if finite(latency.get("p99_us")) is None:
        return None
    return Figure("Latency p99", micros(latency["p99_us"]), f"p50 {micros(latency.get('p50_us'))}")


def _online(run: Mapping[str, Any]) -> Figure | None:
    found = online(run)
    if found is None:
        return None
    written = sum(int(view["written"] or 0) for view in found["views"])
    late = sum(int(view["late"] or 0) for view in found["views"])
    told = [plural(len(found["views"]), "view"), *([f"{late:,} late"] if late else [])]
    return Figure("Rows online", f"{written:,} written", ", ".join(told))


def _course(run: Mapping[str, Any]) -> Figure:
    known = steps(run)
    ran = sum(status_of(step) == "ran" for step in known)
    return Figure("Run time", duration(run.get("seconds")), f"{ran} of {count(len(known))} steps ran")


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def _sentence(words: str) -> str:
    return words if words.endswith((".", "!", "?", "…")) else words + "."
