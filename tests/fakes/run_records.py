"""Run documents as a run leaves them: the flights training in its possible endings."""

from __future__ import annotations

import copy
import hashlib
import math
from typing import Any

Json = dict[str, Any]

MONTHS = ("2013-08", "2013-09", "2013-10", "2013-11", "2013-12")
YEAR = tuple(f"2013-{month:02d}" for month in range(1, 13))
CHAMPION = "sha256:" + hashlib.sha256(b"champion").hexdigest()
CHALLENGER = "sha256:" + hashlib.sha256(b"challenger").hexdigest()


def a_run_document() -> Json:
    """Return a promoted run with every section."""
    return {
        "run": "flights-training-20131231-ab12",
        "pipeline": "flights-training",
        "status": "succeeded",
        "seconds": 81.2,
        "started": "2026-03-04T06:00:02.481+00:00",
        "parameters": {"as_of": "2013-12-31T06:00:00Z", "profile": "year", "seed": 7, "slices": ["origin", "carrier"]},
        "steps": _steps(),
        "verdicts": [
            {"step": "validate", "verdict": "accepted", "ok": True, "reasons": [], "gates": []},
            {"step": "check-gates", "verdict": "passed", "ok": True, "reasons": [], "gates": _gates()},
        ],
        "sections": {
            "findings": _findings(),
            "coverage": {"start": YEAR[0], "end": YEAR[7], "requests": 194_422, "views": _covered()},
            "ages": {"rows": {"requests": 336_776, "frame": 336_776}, "views": _views()},
            "online": {
                "at": "2013-12-30T21:55:00Z",
                "views": {"weather": _written(7200, 60), "plane": _written(None, 9e6)},
            },
            "search": _search(),
            "metrics": _metrics(),
            "comparison": _comparison(),
            "tests": {"verdict": "passed", "ok": True, "reasons": [], "findings": _tests()},
            "latency": {"p50_us": 141.0, "p99_us": 312.5, "rows_per_s": 412_000, "size_bytes": 1_934_112},
            "release": {
                "digest": CHALLENGER,
                "version": 12,
                "ref": "flights-delay/champion",
                "generation": 5,
                "previous": CHAMPION,
                "url": "http://127.0.0.1:8080/v1/models/flights-delay",
            },
        },
    }


def a_refused_run() -> Json:
    """Return a run whose candidate broke two gates: nothing after them ran."""
    run = a_run_document()
    run["status"] = "failed"
    verdict = run["verdicts"][1]
    verdict.update(verdict="failed", ok=False)
    broken = {"log_loss": (0.4259, [0.4062, 0.4461]), "log loss against the champion": (0.0158, [0.0061, 0.0158])}
    for gate in verdict["gates"]:
        if gate["name"] in broken:
            gate["value"], gate["interval"] = broken[gate["name"]]
            gate["ok"] = False
    against = "log loss +0.0109 against the champion, 95 % from +0.0061 to +0.0158: "
    against += "the upper end must stay below the margin of +0.0020"
    verdict["gates"][4]["note"] = against
    verdict["reasons"] = [
        "floor: log_loss is 0.4259 (95 % from 0.4062 to 0.4461), asked for <= 0.419",
        f"log loss against the champion: {against}",
    ]
    comparison = run["sections"]["comparison"]
    comparison.update(verdict="failed", ok=False, reasons=[against])
    comparison["differences"] = {
        "log_loss": _difference(0.4259, 0.4150, [0.0061, 0.0158], 0.0),
        "brier": _difference(0.1320, 0.1294, [0.0009, 0.0044], 0.002),
        "auc": _difference(0.7714, 0.7785, [-0.0102, -0.0039], 0.0),
    }
    run["sections"]["metrics"]["overall"].update(log_loss=0.4259, auc=0.7714, brier=0.1320)
    _skip(run, {"register", "promote", "deploy"}, "check-gates said failed")
    del run["sections"]["release"]
    return run


def a_failed_run() -> Json:
    """Return a run whose training raised; what depends on it was skipped."""
    run = a_run_document()
    run.update(status="failed", seconds=63.9)
    for step in run["steps"]:
        if step["name"] == "train":
            step.update(status="failed", outputs={}, error=TRACEBACK)
    later = {"evaluate", "compare", "test-model", "measure", "check-gates", "register", "promote", "deploy"}
    _skip(run, later, "train failed")
    run["verdicts"] = run["verdicts"][:1]
    for name in ("metrics", "comparison", "tests", "latency", "release"):
        del run["sections"][name]
    return run


def a_no_op_run() -> Json:
    """Return the second run of the same: everything was reused."""
    run = a_run_document()
    run["seconds"] = 0.83
    for i, step in enumerate(run["steps"]):
        if step["status"] == "ran":
            step.update(status="reused", seconds=0.004, reason="a record under this key exists")
        step["started_s"] = round(0.3 + 0.02 * i, 3)
    return run


TRACEBACK = """Traceback (most recent call last):
  File "argosy/training/fit.py", line 88, in fit
    booster.fit(matrix, labels)
argosy.errors.BadInput: frame/part-2013-04.parquet: feature 'dest' is null in every row; look at the quarantine"""


def _skip(run: Json, names: set[str], reason: str) -> None:
    for step in run["steps"]:
        if step["name"] in names:
            step.update(status="skipped", seconds=0.0, started_s=None, outputs={}, key=None, reason=reason)


def _step(name: str, after: str, started_s: float, seconds: float, **rest: Any) -> Json:
    step = {
        "name": name,
        "kind": "step",
        "status": "ran",
        "seconds": seconds,
        "started_s": started_s,
        "after": after.split(),
        "key": "sha256:" + hashlib.sha256(name.encode()).hexdigest(),
        "reason": "argosy/training/fit.py changed",
        "error": None,
        "outputs": {},
    }
    return {**step, **rest}


def _blob(name: str) -> str:
    return "sha256:" + hashlib.sha256(f"blob {name}".encode()).hexdigest()


def _steps() -> list[Json]:
    reused = {"status": "reused", "reason": "a record under this key exists"}
    scores = [f"score-candidate-{k}" if k else "score-candidate" for k in range(8)]
    return [
        _step("ingest", "", 0.9, 0.012, outputs={"raw": _blob("raw")}, **reused),
        _step("validate", "ingest", 1.0, 0.014, **reused, outputs={"clean": _blob("clean"), "verdict": "accepted"}),
        _step("build-events", "validate", 1.1, 0.009, outputs={"events": _blob("events")}, **reused),
        _step(
            "compile-features", "", 0.9, 6.4, reason="feature_repo/weather.py changed", outputs={"rules": _blob("f")}
        ),
        _step(
            "retrieve",
            "build-events compile-features",
            7.4,
            4.9,
            reason="input features.json changed: 0a31c2 became 77d0e1",
            outputs={"frame": _blob("frame"), "coverage": {"weather": 0.9962, "now": 0.9998}, "n_rows": 336_776},
        ),
        *[
            _step(name, "retrieve", 12.4 + 9.4 * (k // 2), 9.1 + 0.2 * (k % 3), outputs={"log_loss": _score(k)})
            for k, name in enumerate(scores)
        ],
        _step(
            "choose-candidate", " ".join(scores), 50.2, 0.2, outputs={"chosen": {"max_depth": 6, "learning_rate": 0.08}}
        ),
        _step("train", "retrieve choose-candidate", 50.5, 13.2, outputs={"model": CHALLENGER}),
        _step("evaluate", "train retrieve", 63.8, 6.1, outputs={"predictions": _blob("p"), "auc": 0.7852}),
        _step(
            "champion",
            "",
            0.9,
            0.006,
            kind="observe",
            status="observed",
            reason="always looked at",
            outputs={"model": CHAMPION},
        ),
        _step("compare", "evaluate champion retrieve", 70.0, 3.4, outputs={"comparison": _blob("c")}),
        _step("test-model", "train retrieve", 63.8, 5.2, outputs={"findings": _blob("t")}),
        _step("measure", "train retrieve", 69.1, 2.2, reason="a measurement of a new model", outputs={"p99_us": 312.5}),
        _step(
            "check-gates", "evaluate compare test-model measure", 73.5, 0.1, outputs={"verdict": "passed", "ok": True}
        ),
        _step(
            "register",
            "check-gates train",
            73.7,
            3.9,
            kind="fact",
            reason="no version of this digest",
            outputs={"version": 12},
        ),
        _step(
            "promote",
            "register champion",
            77.7,
            0.3,
            kind="move",
            reason="the ref held another",
            outputs={"generation": 5},
        ),
        _step(
            "deploy",
            "promote",
            78.1,
            2.9,
            kind="deployment",
            reason="the server answered another digest",
            outputs={"digest": CHALLENGER},
        ),
    ]


def _score(k: int) -> float:
    return round(0.4162 + 0.0031 * ((k * 5) % 7) + 0.0009 * (k % 2), 4)


def _gate(name: str, kind: str, value: float | None, op: str, bound: float, interval: Any = None) -> Json:
    return {
        "name": name, "kind": kind, "value": value, "op": op, "bound": bound, "ok": True,
        "interval": interval, "note": "",
    }  # fmt: skip


def _gates() -> list[Json]:
    champion = _gate("log loss against the champion", "champion", -0.0002, "<", 0.002, [-0.0031, -0.0002])
    champion["note"] = (
        "log loss -0.0016 against the champion, 95 % from -0.0031 to -0.0002: within the margin of +0.0020"
    )
    gates = [
        _gate("auc", "floor", 0.7852, ">=", 0.780, [0.7682, 0.8009]),
        _gate("log_loss", "floor", 0.4150, "<=", 0.419, [0.3951, 0.4346]),
        _gate("brier", "floor", 0.1294, "<=", 0.131, [0.1217, 0.1370]),
        _gate("auc", "leak", 0.7852, "<=", 0.800, [0.7682, 0.8009]),
        champion,
        _gate("size_bytes", "floor", 1_934_112, "<=", 5e6),
        *[_gate(f"{row['column']}={row['value']} auc", "slice", row["auc"], ">=", 0.66) for row in _slices()],
        *[_gate(f"{row['kind']} test, {row['name']}", "test", 1.0, ">=", 1) for row in _tests()],
    ]
    for gate in gates[-len(_tests()) :]:
        gate["note"] = "as expected"
    return gates


def _findings() -> list[Json]:
    return [
        _finding("order", "flights", "tailnum", "QUARANTINE", 127, 0.000377, "leaves before the same tail has landed"),
        _finding("range", "weather", "wind_speed", "NULL", 1, 0.0000383, "got 1048.36, allowed is 0 to 100 mph"),
        _finding("gap", "weather", "", "WARN", 776, 0.0023, "no row on 31 Dec: the feed ends 30 Dec 23:00Z"),
        _finding(
            "reference", "flights", "tailnum", "WARN", 52_606, 0.1562, "not in planes: AA and MQ write fleet numbers"
        ),
        _finding("label", "flights", "arr_delay", "WARN", 9430, 0.028, "cancelled or diverted: never labelled"),
    ]


def _finding(check: str, table: str, column: str, action: str, rows: int, share: float, message: str) -> Json:
    place = f"{table}.{column}" if column else table
    return {
        "check": check, "table": table, "column": column, "action": action, "rows": rows, "share": share,
        "message": f"{place}: {message}",
    }  # fmt: skip


def _views() -> Json:
    weather = _view(7200, (1740, 3240, 3540), 0.996, 0.0023)
    weather["by_part"]["2013-12"] = 0.9712
    return {
        "weather": weather,
        "origin_departures": _view(7200, (95, 610, 5200), 0.991, 0.0041),
        "carrier_departures": _view(7200, (420, 3900, 18_900), 0.955, 0.031),
        "destination_arrivals": _view(21_600, (1500, 9400, 19_800), 0.968, 0.0077),
        "carrier_week": _view(172_800, (700, 6100, 28_000), 0.999, 0.0),
        "route_fortnight": _view(172_800, (16_200, 88_000, 260_000), 0.93, 0.0412),
        "aircraft_last_leg": _view(86_400, (29_000, 81_000, 410_000), 0.42, 0.0933),
        "plane": _view(None, (9.2e6, 1.4e7, 2.1e7), 0.841, 0.0),
    }


def _covered() -> dict[str, Json]:
    return {
        "weather": _served(7200, 2100, (0.9996, 0.9991), 0.95),
        "carrier_departures": _served(7200, 1320, (0.911, 0.78), 0.8),
        "plane": _served(None, None, (0.841, 0.841), None),
    }


def _served(ttl_s: float | None, lag_s: float | None, shares: tuple[float, float], least: float | None) -> Json:
    curve = [{"ttl_s": hours * 3600.0, "with_lag": min(1.0, shares[1] * hours / 2)} for hours in (1, 2, 3)]
    return {
        "ttl_s": ttl_s, "lag_s": lag_s, "coverage": shares[0], "with_lag": shares[1], "min_coverage": least,
        "curve": curve,
    }  # fmt: skip


def _view(ttl_s: float | None, ages: tuple[float, float, float], least: float, expired: float) -> Json:
    n_expired = round(336_776 * expired)
    return {
        "ttl_s": ttl_s,
        "coverage": least,
        "min_coverage": 0.975 if least > 0.99 else None,
        "by_part": {month: round(least + (1 - least) * (0.5 + 0.4 * math.sin(i)), 4) for i, month in enumerate(YEAR)},
        "statuses": {"NOT_FOUND": 812, "OUTSIDE_MAX_AGE": n_expired, "PRESENT": 335_964 - n_expired},
        "age_s": dict(zip(("p50", "p90", "p99", "max"), (*ages, ages[2] * 3), strict=True)),
    }


def _written(ttl_s: float | None, freshness_s: float) -> Json:
    counts = {"written": 1204, "late": 7, "dropped": 3, "entities": 4000, "alive": 1000, "coverage": 0.25}
    return {"ttl_s": ttl_s, "freshness_s": freshness_s, **counts}


def _search() -> Json:
    params = [(5, 0.10, 180), (6, 0.08, 225), (6, 0.06, 300), (7, 0.05, 360)]
    table = []
    for k, (depth, rate, trees) in enumerate(params):
        losses = [_score(2 * k + fold) for fold in range(2)]
        table.append(
            {
                "candidate": k,
                "round": k // 2,
                "params": {"trees": trees, "max_depth": depth, "learning_rate": rate, "subsample": 0.8},
                "log_loss": round(sum(losses) / 2, 6),
                "spread": round(abs(losses[0] - losses[1]), 6),
                "folds": [0, 1],
                "log_losses": losses,
            }
        )
    best = min(table, key=lambda row: row["log_loss"])
    return {name: best[name] for name in ("candidate", "round", "params", "log_loss")} | {"table": table}


def _metrics() -> Json:
    measured = [  # AUC, AP, Brier, log loss, base rate, mean score, rows
        (0.780, 0.608, 0.144, 0.450, 0.2460, 0.2628, 28_759),
        (0.777, 0.502, 0.092, 0.318, 0.1372, 0.1369, 27_010),
        (0.756, 0.492, 0.119, 0.390, 0.1756, 0.1626, 28_618),
        (0.748, 0.473, 0.124, 0.403, 0.1810, 0.1792, 26_971),
        (0.777, 0.688, 0.169, 0.513, 0.3355, 0.3219, 27_017),
    ]
    names = ("auc", "average_precision", "brier", "log_loss", "base_rate", "mean_score", "n")
    overall = {"auc": 0.7852, "log_loss": 0.4150, "brier": 0.1294, "average_precision": 0.5828}
    return {
        "overall": {**overall, "expected_calibration_error": 0.0068, "n": 138_375},
        "intervals": {"auc": [0.7682, 0.8009], "log_loss": [0.3951, 0.4346], "brier": [0.1217, 0.1370]},
        "months": [{"month": m, **dict(zip(names, row, strict=True))} for m, row in zip(MONTHS, measured, strict=True)],
        "slices": _slices(),
        "roc": [[x / 100, round((x / 100) ** 0.29, 4)] for x in range(101)],
        "calibration": [_bin(b / 10, int(54_000 * 0.62**b)) for b in range(10)],
        "histogram": [int(30_000 * 0.78**b) for b in range(20)],
    }  # fmt: skip


def _bin(low: float, n: int) -> Json:
    score = round(low + 0.045, 3)
    rate = round(score + 0.02 * math.sin(20 * low), 3)
    return {"low": low, "high": low + 0.1, "n": n, "mean_score": score, "rate": rate}


def _slices() -> list[Json]:
    slices = [
        ("origin", "EWR", 0.793), ("origin", "JFK", 0.774), ("origin", "LGA", 0.769), ("carrier", "9E", 0.748),
        ("carrier", "AA", 0.771), ("carrier", "B6", 0.762), ("carrier", "DL", 0.781), ("carrier", "EV", 0.784),
        ("carrier", "F9", 0.702), ("carrier", "FL", 0.713), ("carrier", "MQ", 0.755), ("carrier", "UA", 0.792),
        ("carrier", "US", 0.766), ("carrier", "VX", 0.779), ("carrier", "WN", 0.768),
        ("carrier", "(small slices)", 0.733),
    ]  # fmt: skip
    return [
        {
            "column": column,
            "value": value,
            "pooled": value.startswith("("),
            "n": 620 + 3517 * (i % 9),
            "auc": auc,
            "log_loss": round(1.02 - 0.77 * auc, 4),
        }
        for i, (column, value, auc) in enumerate(slices)
    ]


def _comparison() -> Json:
    return {
        "champion": {"name": "flights-delay", "version": 11},
        "n_rows": 138_375,
        "n_blocks": 153,
        "differences": {
            "log_loss": _difference(0.4150, 0.4166, [-0.0031, -0.0002], 0.988),
            "brier": _difference(0.1294, 0.1299, [-0.0010, 0.0001], 0.957),
            "auc": _difference(0.7852, 0.7839, [-0.0002, 0.0029], 0.951),
        },
        "verdict": "passed",
        "ok": True,
        "reasons": ["log loss -0.0016 against the champion: within the margin of +0.0020"],
        "margin": 0.002,
        "n_resamples": 2000,
        "seed": 0,
    }


def _difference(candidate: float, champion: float, interval: list[float], share_better: float) -> Json:
    return {
        "candidate": candidate,
        "champion": champion,
        "difference": round(candidate - champion, 6),
        "interval": interval,
        "share_better": share_better,
    }


def _tests() -> list[Json]:
    tests = [
        ("renaming a tail changes nothing", "invariance", "largest change 0 in 2,000 rows"),
        ("a longer queue never helps", "direction", "rises in 99.2 % of 2,000 rows, floor 95 %"),
        ("an old weather report is as none", "invariance", "equal at time to live + 1 \N{MICRO SIGN}s"),
        ("all nulls still gives a probability", "minimum functionality", "0.2391, base rate 0.2447"),
        ("boots in the server and answers its example", "server", "ready after 0.42 s, same to 6 digits"),
    ]
    return [{"name": name, "kind": kind, "ok": True, "message": message} for name, kind, message in tests]


def without(document: Json, path: tuple[str | int, ...]) -> Json:
    """Return a copy of a document without the entry at a path."""
    changed = copy.deepcopy(document)
    holder: Any = changed
    for key in path[:-1]:
        holder = holder[key]
    del holder[path[-1]]
    return changed
