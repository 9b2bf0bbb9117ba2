"""Say what a replay found: findings and verdict as reports draw them, and a page of Markdown."""

from __future__ import annotations

from typing import Any

Report = dict[str, Any]


def list_findings(report: Report) -> list[Report]:
    """Say what differs in each view and feature, as a report of findings lists it."""
    findings = []
    for name, view in report["views"].items():
        shift = "" if view["shift_s"] is None else f"; its instants are {-view['shift_s'] / 3600:+g} h off"
        for kind, rows in view["kinds"].items():
            message = f"{rows} of {report['requests']} requests were served otherwise than training sees it{shift}"
            findings.append(_finding(report, kind, name, rows, message=message))
    for name, feature in report["features"].items():
        told = "; ".join(feature["notes"])
        for kind, cells in feature["kinds"].items():
            findings.append(_finding(report, kind, f"{feature['view']}.{name}", cells, message=told or "differs"))
    return findings


def _finding(report: Report, kind: str, place: str, rows: int, *, message: str) -> Report:
    view, _, feature = place.partition(".")
    return {
        "check": kind, "table": view, "column": feature, "action": "WARN", "rows": rows,
        "share": share_of(rows, report["requests"]), "message": f"{place}: {message}",
    }  # fmt: skip


def judge_replay(report: Report, threshold: float) -> Report:
    """Judge each view by the share of its cells that differ; a log without requests says nothing, and is not enough."""
    if not report["requests"]:
        reason = f"no request of these features was logged; {report['others']} records are of others"
        return {"verdict": "failed", "ok": False, "reasons": [reason], "gates": []}
    gates, reasons = [], []
    for name, view in report["views"].items():
        ok = view["share"] <= threshold
        note = ", ".join(f"{kind} in {rows}" for kind, rows in view["kinds"].items())
        gates.append(
            {
                "name": f"false cells of {name}", "kind": "skew", "value": view["share"], "op": "<=",
                "bound": threshold, "ok": ok, "interval": None, "note": note,
            }
        )  # fmt: skip
        if not ok:
            reasons.append(f"{name}: {view['share']:.3%} of its cells differ, allowed are {threshold:.3%}: {note}")
    return {"verdict": "failed" if reasons else "passed", "ok": not reasons, "reasons": reasons, "gates": gates}


def share_of(part: int, whole: int) -> float:
    """Return a share, 0 of nothing."""
    return round(part / whole, 6) if whole else 0.0


def replay_markdown(report: Report) -> str:
    """Write the outcome as Markdown: the verdict, a table of the views, and what was found."""
    verdict = report["verdict"]
    lines = [f"## {'Passed' if verdict['ok'] else 'Skewed'}", ""]
    lines.append(
        f"{report['requests']} requests were joined again: {report['false_cells']} of {report['cells']} cells differ "
        f"({report['share']:.4%}). {report['others']} records were of other features."
    )
    lines += ["", *(f"- {reason}" for reason in verdict["reasons"]), ""]
    lines += ["| view | lag | cells | false | share | what |", "| --- | ---: | ---: | ---: | ---: | --- |"]
    for name, view in report["views"].items():
        lag = "" if view["lag_s"] is None else f"{view['lag_s']:g} s"
        what = ", ".join(f"{kind} in {rows}" for kind, rows in view["kinds"].items())
        lines.append(f"| {name} | {lag} | {view['cells']} | {view['false_cells']} | {view['share']:.4%} | {what} |")
    lines += ["", *(f"- **{each['check']}** {each['message']}" for each in report["findings"])]
    return "\n".join(lines) + "\n"
