"""Write a fitted model as an ONNX graph with deterministic bytes, calibration included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper

from argosy.serving.runtime import INPUT, METADATA_DIGEST, features_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GRAPH_NAME = "model"
OUTPUT = "probability"
IR_VERSION = 8
OPSETS = {"": 17, "ai.onnx.ml": 3}


def export_graph(
    *,
    intercept: float,
    trees: Sequence[Mapping[str, Any]],
    features: Sequence[Mapping[str, Any]],
    calibration: Mapping[str, Any],
) -> bytes:
    """Return the ONNX file: trees, then the calibration's line, then the logistic function.

    The input is "features", float32 [n, n_features], NaN for missing; the output "probability", [n, 1].

    Args:
        intercept: Log odds that the trees add to.
        trees: The arrays of XGBoost's JSON model format.
        features: The signature's features; their digest is written into the file.
        calibration: As in the signature.

    """
    slope, shift = calibration.get("a", 1.0), calibration.get("b", 0.0)
    constants = [scalar("slope", slope), scalar("shift", shift)]
    nodes = [
        helper.make_node(
            "TreeEnsembleRegressor",
            [INPUT],
            ["margin"],
            domain="ai.onnx.ml",
            n_targets=1,
            aggregate_function="SUM",
            post_transform="NONE",
            base_values=[intercept],
            **tree_attributes(trees),
        ),
        helper.make_node("Mul", ["margin", "slope"], ["scaled"]),
        helper.make_node("Add", ["scaled", "shift"], ["odds"]),
        helper.make_node("Sigmoid", ["odds"], [OUTPUT]),
    ]
    columns = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", len(features)])
    probability = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", 1])
    graph = helper.make_graph(nodes, GRAPH_NAME, [columns], [probability], initializer=constants)
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    model = helper.make_model(graph, opset_imports=opsets, producer_name="argosy", ir_version=IR_VERSION)
    helper.set_model_props(model, {METADATA_DIGEST: features_digest(features)})
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def scalar(name: str, value: float) -> TensorProto:
    """Return a constant of shape [1]."""
    return helper.make_tensor(name, TensorProto.FLOAT, [1], [value])


def tree_attributes(trees: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the attributes of a TreeEnsembleRegressor; an inner node goes left where value < threshold.

    Source:
        ONNX operators, ai.onnx.ml, TreeEnsembleRegressor (version 3).

    """
    columns = [_tree_columns(index, tree) for index, tree in enumerate(trees)]
    return {name: [value for tree in columns for value in tree[name]] for name in columns[0]}


def _tree_columns(index: int, tree: Mapping[str, Any]) -> dict[str, list[Any]]:
    left, values = tree["left_children"], tree["split_conditions"]
    size = len(left)
    leaves = [node for node in range(size) if left[node] == -1]
    is_leaf = [child == -1 for child in left]
    return {
        "nodes_treeids": [index] * size,
        "nodes_nodeids": list(range(size)),
        "nodes_featureids": [0 if leaf else f for leaf, f in zip(is_leaf, tree["split_indices"], strict=True)],
        "nodes_modes": ["LEAF" if leaf else "BRANCH_LT" for leaf in is_leaf],
        "nodes_values": [0.0 if leaf else value for leaf, value in zip(is_leaf, values, strict=True)],
        "nodes_truenodeids": [max(child, 0) for child in left],
        "nodes_falsenodeids": [max(child, 0) for child in tree["right_children"]],
        "nodes_missing_value_tracks_true": [int(goes_left) for goes_left in tree["default_left"]],
        "target_treeids": [index] * len(leaves),
        "target_nodeids": leaves,
        "target_ids": [0] * len(leaves),
        "target_weights": [float(np.float32(values[node])) for node in leaves],
    }
