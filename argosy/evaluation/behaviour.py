"""Test what a model does, beyond how good it is on average.

Five kinds of tests, after Ribeiro et al. (2020), Beyond accuracy: behavioral testing of NLP models with
CheckList: *invariance* (changes that must not matter), *direction* (changes that must move the risk one
way), *minimum functionality* (simple things any model of this problem can do), *slice* (skill in each part
of the data) and *server* (it boots and answers).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from argosy.arrow import without_pandas
from argosy.errors import BadInput, Mistake
from argosy.evaluation.baseline import table_scores
from argosy.evaluation.boot import boots_in_server
from argosy.evaluation.cases import Finding
from argosy.evaluation.frame import DAY, LABEL, TIME, parts_between, read_rows, row_column
from argosy.evaluation.metrics import brier, log_loss
from argosy.serving.runtime import load_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from argosy.evaluation.cases import Cases, Direction, Outage
    from argosy.serving.runtime import Model

MAX_ROWS = 20_000
MAX_PROBES = 5_000  # rows that are scored again and again, once per case
SINGLE_ROWS = 100
TOLERANCE = 1e-6
FIRST_DAY = "0000-01-01"
OUTCOMES = (TIME, DAY, LABEL, "label_at")
UNSEEN = "\N{REPLACEMENT CHARACTER} unseen"


@dataclass(frozen=True)
class Sample:
    """Labelled rows and what the model says of them.

    Attributes:
        model: The model.
        rows: Its features and the slices' columns.
        y: Labels, shape (n_rows,).
        p: Probabilities, shape (n_rows,).

    """

    model: Model
    rows: pa.Table
    y: NDArray[Any]
    p: NDArray[Any]

    def thinned(self, n_rows: int) -> Sample:
        """Return at most `n_rows` of the rows, evenly spread."""
        kept = _evenly(len(self.y), n_rows)
        return Sample(model=self.model, rows=self.rows.take(kept), y=self.y[kept], p=self.p[kept])


@without_pandas()
def test_model(*, model: Path, frame: Path, start: str, end: str, cases: Cases) -> dict[str, Any]:
    """Test a model on at most 20,000 labelled rows, evenly spread over a window.

    Args:
        model: The model folder.
        frame: The frame folder; its labelled rows before the window make the constant and the table to beat.
        start: First day of the window, like "2013-08-01".
        end: Last day, inclusive.
        cases: What is expected.

    Returns:
        `verdict` (passed or failed), `ok`, `reasons`, and `findings`: name, kind, ok, message of each.

    Raises:
        BadInput: The window or the time before it has no labelled rows.
        Mistake: A case names a feature or group that the model does not have.

    """
    loaded = load_model(model)
    require_known(cases, loaded)
    sample = _read_sample(loaded, frame, window=(start, end), cases=cases)
    earlier = _earlier_rows(frame, before=start, cases=cases)
    probes = sample.thinned(MAX_PROBES)
    with ThreadPoolExecutor(max_workers=1) as beside:
        boot = beside.submit(boots_in_server, model, loaded.signature["example"])
        findings = [
            *invariances(probes, row_column(parts_between(frame, start, end)[0])),
            *(check_direction(probes, case) for case in cases.directions),
            *minimum_functionality(sample, earlier, cases),
            *(check_outage(probes, case) for case in cases.outages),
            *(check_slices(sample, column, min_rows=cases.min_slice_rows) for column in cases.slices),
            boot.result(),
        ]
    broken = [f"{finding.name}: {finding.message}" for finding in findings if not finding.ok]
    return {
        "verdict": "failed" if broken else "passed",
        "ok": not broken,
        "reasons": broken,
        "findings": [asdict(finding) for finding in findings],
    }


def require_known(cases: Cases, model: Model) -> None:
    """Refuse cases that name what the model does not have: a stale case would test nothing.

    Raises:
        Mistake: A feature or group is not in the signature.

    """
    groups = {feature["group"] for feature in model.signature["features"]}
    asked = [(name, f"direction {case.name!r}") for case in cases.directions for name in case.changes]
    asked += [(name, "slices") for name in cases.slices]
    for name, where in asked:
        _require_one_of(name, set(model.feature_names), f"{where}: feature")
    for case in cases.outages:
        for group in case.groups:
            _require_one_of(group, groups, f"outage {case.name!r}: group")


def invariances(sample: Sample, row_id: str) -> Iterator[Finding]:
    """Check what must not matter: order, company, unknown categories, and the outcome itself."""
    model, rows = sample.model, sample.rows
    told = sorted(
        {row_id, *OUTCOMES}.intersection(model.feature_names)
        | {name for name in model.feature_names if name.endswith("__status")}
    )
    yield Finding(
        "no feature is the row's name, time, label or status",
        "invariance",
        ok=not told,
        message=f"features that must not be: {', '.join(told)}" if told else f"{len(model.feature_names)} features",
    )
    turned = pa.table({name: rows.column(name).take(_reversed(rows)) for name in reversed(rows.column_names)})
    yield _same("order of rows and columns", model.predict_table(turned)[::-1], sample.p)
    few = rows.select(model.feature_names).slice(0, SINGLE_ROWS)
    single = [model.predict_rows([row])[0] for row in few.to_pylist()]
    yield _same("one row at a time or all at once", np.array(single), sample.p[: len(single)])
    kinds = {feature["name"]: feature["type"] for feature in model.signature["features"]}
    categories = [name for name, kind in kinds.items() if kind == "category"]
    unseen = _replace(rows, {name: pa.array([UNSEEN] * rows.num_rows) for name in categories})
    yield _same(
        "a category never seen counts as missing",
        model.predict_table(unseen),
        model.predict_table(_blank(rows, categories)),
    )


def check_direction(sample: Sample, case: Direction) -> Finding:
    """Change features and compare the mean movement of the risk with what is expected.

    Rows in which all the changed features are null do not count.
    """
    ranges = {feature["name"]: feature for feature in sample.model.signature["features"]}
    columns = {name: _shifted(sample.rows.column(name), by, ranges[name]) for name, by in case.changes.items()}
    known = np.any([sample.rows.column(name).is_valid().to_numpy() for name in columns], axis=0)
    if not known.any():
        return Finding(case.name, "direction", ok=False, message=f"{', '.join(columns)}: null in every row")
    moved = float((sample.model.predict_table(_replace(sample.rows, columns)) - sample.p)[known].mean())
    ok = moved <= case.at_least if case.at_least < 0 else moved >= case.at_least
    change = ", ".join(f"{name} {by:+g}" for name, by in case.changes.items())
    asked = f"{'at most' if case.at_least < 0 else 'at least'} {case.at_least:+.4f}"
    return Finding(case.name, "direction", ok, f"{change} moves the mean risk by {moved:+.4f}, asked for {asked}")


def minimum_functionality(sample: Sample, earlier: pa.Table, cases: Cases) -> Iterator[Finding]:
    """Check that scores are probabilities and beat the constant rate and the table of rates."""
    inside = bool(np.isfinite(sample.p).all() and (sample.p > 0).all() and (sample.p < 1).all())
    low, high = float(sample.p.min()), float(sample.p.max())
    yield Finding("scores are probabilities", "minimum functionality", inside, message=f"from {low:.4f} to {high:.4f}")
    y = earlier.column(LABEL).to_numpy()
    names = ", ".join(key.feature for key in cases.table)
    rivals = {"the constant rate": ()} | ({f"a table of rates by {names}": cases.table} if names else {})
    for name, keys in rivals.items():
        rival = table_scores(keys, earlier, y, sample.rows)
        yield _better(f"better than {name}", sample, rival)


def check_outage(sample: Sample, case: Outage) -> Finding:
    """Blank groups of features; the scores stay finite and the log loss rises by a bounded amount."""
    features = sample.model.signature["features"]
    blanked = [feature["name"] for feature in features if feature["group"] in case.groups]
    p = sample.model.predict_table(_blank(sample.rows, blanked))
    cost = log_loss(sample.y, p) - log_loss(sample.y, sample.p)
    message = (
        f"{', '.join(case.groups)} null: log loss {cost:+.4f}, at most {case.max_cost:+.4f} allowed; "
        f"mean score {sample.p.mean():.3f} -> {p.mean():.3f}"
    )
    ok = bool(np.isfinite(p).all()) and cost <= case.max_cost
    return Finding(f"outage of {case.name}", "minimum functionality", ok, message)


def check_slices(sample: Sample, column: str, *, min_rows: int) -> Finding:
    """Compare the model, in each value of a column, with the value's own rate known in advance."""
    encoded = sample.rows.column(column).combine_chunks().dictionary_encode()
    codes = pc.fill_null(encoded.indices, -1).to_numpy()
    gains = {}
    for code, value in enumerate(encoded.dictionary.to_pylist()):
        rows = codes == code
        if rows.sum() >= min_rows:
            y = sample.y[rows]
            gains[value] = log_loss(y, np.full(len(y), y.mean())) - log_loss(y, sample.p[rows])
    name = f"skill in every {column}"
    if not gains:
        return Finding(name, "slice", ok=True, message=f"no slice has {min_rows} rows")
    worst = min(gains, key=lambda value: gains[value])
    message = (
        f"{len(gains)} slices; least gain over its own rate: {worst} with {gains[worst]:.4f} of log loss, asked for > 0"
    )
    return Finding(name, "slice", bool(gains[worst] > 0), message)


def _read_sample(model: Model, frame: Path, *, window: tuple[str, str], cases: Cases) -> Sample:
    columns = [*model.feature_names, *(key.feature for key in cases.table), LABEL]
    rows = _labelled(frame, columns, *window)
    if not rows.num_rows:
        raise BadInput(f"{frame}: no labelled rows from {window[0]} to {window[1]} to test the model on")
    rows = rows.take(_evenly(rows.num_rows, MAX_ROWS))
    return Sample(model=model, rows=rows, y=rows.column(LABEL).to_numpy(), p=model.predict_table(rows))


def _earlier_rows(frame: Path, *, before: str, cases: Cases) -> pa.Table:
    rows = _labelled(frame, [*(key.feature for key in cases.table), LABEL], FIRST_DAY, before)
    rows = rows.filter(pc.less(rows.column(DAY), before))
    if not rows.num_rows:
        raise BadInput(f"{frame}: no labelled rows before {before}, so there are no past rates to beat")
    return rows


def _labelled(frame: Path, columns: list[str], start: str, end: str) -> pa.Table:
    parts = [read_rows(part, columns, start, end) for part in parts_between(frame, start, end)]
    rows = pa.concat_tables(parts)
    return rows.filter(rows.column(LABEL).is_valid()).combine_chunks()


def _better(name: str, sample: Sample, rival: NDArray[np.float64]) -> Finding:
    ours, theirs = (log_loss(sample.y, p) for p in (sample.p, rival))
    our_brier, their_brier = (brier(sample.y, p) for p in (sample.p, rival))
    message = f"log loss {ours:.4f} against {theirs:.4f}, Brier score {our_brier:.4f} against {their_brier:.4f}"
    return Finding(name, "minimum functionality", ours < theirs and our_brier < their_brier, message)


def _same(name: str, got: NDArray[Any], expected: NDArray[Any]) -> Finding:
    # A NaN on either side must count as a difference.
    largest = float(np.abs(got.astype(np.float64) - expected).max())
    message = f"largest difference {largest:.2g} in {len(got)} rows, at most {TOLERANCE:g} allowed"
    return Finding(name, "invariance", largest <= TOLERANCE, message)


def _shifted(column: pa.ChunkedArray, by: float, feature: Mapping[str, Any]) -> pa.ChunkedArray:
    moved = pc.add(column, pa.scalar(by, column.type))
    # Beyond the training range every answer is a guess, and the server would refuse the row.
    low, high = (pa.scalar(feature.get(key), column.type) for key in ("min", "max"))
    clipped = pc.min_element_wise(pc.max_element_wise(moved, low), high)
    return pc.if_else(column.is_valid(), clipped, pa.scalar(None, column.type))


def _blank(rows: pa.Table, names: list[str]) -> pa.Table:
    return _replace(rows, {name: pa.nulls(rows.num_rows, rows.column(name).type) for name in names})


def _replace(rows: pa.Table, columns: Mapping[str, Any]) -> pa.Table:
    for name, column in columns.items():
        rows = rows.set_column(rows.column_names.index(name), name, column)
    return rows


def _evenly(n_rows: int, at_most: int) -> NDArray[np.int64]:
    return np.linspace(0, n_rows - 1, min(n_rows, at_most)).astype(np.int64)


def _reversed(rows: pa.Table) -> NDArray[np.int64]:
    return np.arange(rows.num_rows)[::-1]


def _require_one_of(name: str, known: set[str], where: str) -> None:
    if name in known:
        return
    close = get_close_matches(name, known, n=1)
    hint = f", did you mean {close[0]!r}?" if close else ""
    raise Mistake(f"model tests, {where} {name!r} is not in the signature{hint}; known: {', '.join(sorted(known))}")
