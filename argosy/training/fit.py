"""Train the final model: fit, calibrate, export, check the export, and write the model folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from argosy.serving.runtime import GRAPH, RULES, SIGNATURE, SIGNATURE_VERSION, encode_table, load_model
from argosy.training.calibration import choose_calibration, probabilities_of
from argosy.training.dropout import droppable_columns
from argosy.training.ensemble import ensemble_seeds, fit_ensemble, importance_of, mean_margins, mean_trees
from argosy.training.export import export_graph
from argosy.training.frame import (
    describe_features,
    example_row,
    first_instant,
    labels_of,
    read_labelled,
    read_schema,
)
from argosy.training.parity import check_parity, parity_rows, require_parity
from argosy.training.whole import whole_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa
    import xgboost
    from numpy.typing import NDArray

    from argosy.training.plan import TrainingPlan

CARD = "card.json"


def train(*, frame: Path, plan: TrainingPlan, params: Mapping[str, Any], seed: int, model: Path) -> dict[str, Any]:
    """Train on the plan's window and write the model folder; same arguments, same bytes.

    Args:
        frame: The frame folder.
        plan: Windows, number of seeds, dropout and threads.
        params: As `choose_candidate` returns them under "params".
        seed: Of the first booster's sampling and dropout, and of the rows of the parity check.
        model: The folder to write `model.onnx`, `signature.json` and `card.json` to.

    Returns:
        The model card.

    Raises:
        BadInput: A window is without labels, or the exported graph is not the fitted model.

    """
    schema, params = read_schema(frame), whole_numbers(params)
    table = read_labelled(frame, plan.train, known_by=first_instant(frame, day=plan.train.end))
    features = describe_features(table, schema)
    matrix, labels = encode_table(table, features), labels_of(table)
    columns = droppable_columns(schema)
    boosters = fit_ensemble(matrix, labels, columns=columns, params=params, plan=plan, seed=seed)

    calibration, calibration_report = calibrate(frame, plan=plan, boosters=boosters, features=features)
    signature = describe_model(plan, features=features, calibration=calibration, table=table)
    intercept, trees = mean_trees(boosters)
    graph = export_graph(intercept=intercept, trees=trees, features=features, calibration=calibration)
    write_model(model, graph=graph, signature=signature)
    carry_rules(frame, model)
    parity = require_same(model, boosters=boosters, rows=parity_rows(matrix, seed=seed))
    return write_card(
        model,
        {
            "name": plan.name,
            "params": dict(params),
            "seeds": ensemble_seeds(seed, plan.seeds),
            "plan": asdict(plan),
            "training": {"n_rows": len(labels), "late_rate": round(float(labels.mean(dtype=np.float64)), 6)},
            "calibration": calibration_report,
            "parity": parity,
            "importance": importance_of(boosters, [feature["name"] for feature in features]),
        },
    )


def calibrate(
    frame: Path, *, plan: TrainingPlan, boosters: Sequence[xgboost.Booster], features: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the calibration that the plan's calibration window asks for, and its report."""
    window = plan.calibrate
    table = read_labelled(frame, window, known_by=first_instant(frame, day=window.end))
    margins = mean_margins(boosters, encode_table(table, features))
    return choose_calibration(margins, labels_of(table), np.array(table["day"].to_pylist()))


def describe_model(
    plan: TrainingPlan, *, features: list[dict[str, Any]], calibration: Mapping[str, Any], table: pa.Table
) -> dict[str, Any]:
    """Return the signature: what a caller has to send and what comes back."""
    return {
        "name": plan.name,
        "version": SIGNATURE_VERSION,
        "output": {"name": "probability", "description": plan.predicts},
        "features": features,
        "ensemble": {"kind": "mean_log_odds", "boosters": plan.seeds},
        "calibration": dict(calibration),
        "example": example_row(table, features),
    }


def write_model(model: Path, *, graph: bytes, signature: Mapping[str, Any]) -> None:
    """Write the graph and its signature."""
    model.mkdir(parents=True, exist_ok=True)
    (model / GRAPH).write_bytes(graph)
    (model / SIGNATURE).write_text(json.dumps(signature, indent=1) + "\n", encoding="utf-8")


def carry_rules(frame: Path, model: Path) -> None:
    """Copy the rules of the frame's features into the model folder; a frame that no service made has none."""
    if (frame / RULES).is_file():
        (model / RULES).write_bytes((frame / RULES).read_bytes())


def write_card(model: Path, card: dict[str, Any]) -> dict[str, Any]:
    """Write the card and return it."""
    (model / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return card


def require_same(
    model: Path, *, boosters: Sequence[xgboost.Booster], rows: NDArray[np.float32]
) -> dict[str, float | int]:
    """Compare the written folder, as serving loads it, with the mean of the fitted boosters.

    Raises:
        BadInput: They differ by more than float rounding.

    """
    served = load_model(model)
    line = served.signature["calibration"]
    margins = mean_margins(boosters, rows)
    expected = probabilities_of(margins, slope=line.get("a", 1.0), intercept=line.get("b", 0.0))
    parity = check_parity(expected=expected, got=served.predict_matrix(rows))
    require_parity(parity)
    return parity
