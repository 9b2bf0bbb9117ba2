"""A model folder as MLflow expects an ONNX model: equal bytes for an equal digest, on every machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from argosy.registry.tags import mlflow_signature, read_signature

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MLMODEL = "MLmodel"
GRAPH = "model.onnx"
CREATED = "1970-01-01 00:00:00.000000"
REQUIREMENTS = ("numpy", "onnx", "onnxruntime")


def lay_out(model: Path, *, digest: str) -> None:
    """Add MLflow's files to a model folder.

    Args:
        model: Holds model.onnx and signature.json.
        digest: Of the folder as it is stored; it stands for the model's uuid and its name.

    Raises:
        BadInput: The folder has no usable signature.

    """
    signature = read_signature(model)
    size = sum(path.stat().st_size for path in model.rglob("*") if path.is_file())
    text = yaml.safe_dump(mlmodel(signature, digest=digest, size=size), sort_keys=True)
    (model / MLMODEL).write_text(text, encoding="utf-8")
    (model / "requirements.txt").write_text("\n".join(REQUIREMENTS) + "\n", encoding="utf-8")


def mlmodel(signature: Mapping[str, Any], *, digest: str, size: int) -> dict[str, Any]:
    """Return the content of the MLmodel file.

    There is no `python_function` flavor: the graph takes category codes, and MLflow's generic loader would
    pass it the texts that the signature names.

    Source: MLflow, MLflow Model, Storage Format; flavor `onnx`.
    """
    return {
        "flavors": {"onnx": {"code": None, "data": GRAPH, "providers": ["CPUExecutionProvider"]}},
        "metadata": {"argosy": {"digest": digest, "name": signature["name"]}},
        "model_size_bytes": size,
        "model_uuid": digest.removeprefix("sha256:")[:32],
        "signature": {**mlflow_signature(signature), "params": None},
        "utc_time_created": CREATED,
    }
