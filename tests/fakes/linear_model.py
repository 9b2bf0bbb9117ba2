"""Build a model folder whose probability is known in closed form: a logistic function of weighted features."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from onnx import TensorProto, helper

from argosy.serving.runtime import GRAPH, INPUT, METADATA_DIGEST, SIGNATURE, SIGNATURE_VERSION, features_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def linear_model(
    folder: Path, *, features: Sequence[Mapping[str, Any]], weights: Mapping[str, float], bias: float
) -> Path:
    """Write a model that answers 1 / (1 + exp(-(bias + sum of weight x feature))); missing counts as 0.

    Args:
        folder: Where to.
        features: As in a signature.
        weights: By feature; 0 where not named. A category's value is its place in its list.
        bias: Log odds of a row of zeros.

    """
    nodes = [
        helper.make_node("IsNaN", [INPUT], ["missing"]),
        helper.make_node("Where", ["missing", "zero", INPUT], ["known"]),
        helper.make_node("MatMul", ["known", "weights"], ["sum"]),
        helper.make_node("Add", ["sum", "bias"], ["odds"]),
        helper.make_node("Sigmoid", ["odds"], ["probability"]),
    ]
    width = len(features)
    column = [weights.get(feature["name"], 0.0) for feature in features]
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", width])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["n", 1])],
        initializer=[
            helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0]),
            helper.make_tensor("weights", TensorProto.FLOAT, [width, 1], column),
            helper.make_tensor("bias", TensorProto.FLOAT, [1], [bias]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {METADATA_DIGEST: features_digest(features)})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / GRAPH).write_bytes(model.SerializeToString(deterministic=True))
    example = {f["name"]: f["categories"][0] if f["type"] == "category" else 1.0 for f in features}
    signature = {
        "name": "linear",
        "version": SIGNATURE_VERSION,
        "output": {"name": "probability", "description": "of a late arrival"},
        "features": list(features),
        "calibration": {"kind": "none"},
        "example": example,
    }
    (folder / SIGNATURE).write_text(json.dumps(signature))
    return folder


def number(name: str, group: str, low: float = -1000, high: float = 1000) -> dict[str, Any]:
    """Return a number feature of a signature."""
    return {"name": name, "type": "number", "group": group, "nullable": True, "min": low, "max": high}


def category(name: str, group: str, *values: str) -> dict[str, Any]:
    """Return a category feature of a signature."""
    return {"name": name, "type": "category", "group": group, "nullable": True, "categories": list(values)}
