"""Run a model folder: the one way in which a row becomes a probability.

A model folder holds `model.onnx`, `signature.json` and, where its features come from views, `features.json`: the rules
that a server looks them up by. The signature names the features in the order of the graph's columns; callers give
features by name, in any order. Encoding is done here, not in the graph, which is 20 times faster for strings: a number
stays itself, a category becomes its index in the signature's list, null and categories that training has not seen
become NaN, the model's missing value. The calibration that a signature describes is already inside the graph.
"""

from __future__ import annotations

import hashlib
import json
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import onnxruntime

from argosy.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

GRAPH = "model.onnx"
SIGNATURE = "signature.json"
RULES = "features.json"
SIGNATURE_VERSION = 1
INPUT = "features"
Scalar = TypeVar("Scalar", bound=np.generic)
METADATA_DIGEST = "features_sha256"
MISSING = float("nan")
FLOAT32_MAX = float(np.finfo(np.float32).max)


class Model:
    """A loaded model: its signature and its inference session.

    Args:
        signature: The parsed `signature.json`.
        session: The session over `model.onnx`.

    """

    def __init__(self, *, signature: dict[str, Any], session: onnxruntime.InferenceSession) -> None:
        self.signature = signature
        self.feature_names = tuple(feature["name"] for feature in signature["features"])
        self._codes = tuple((feature["name"], category_codes(feature)) for feature in signature["features"])
        self._session = session

    def predict_rows(self, rows: Sequence[Mapping[str, object]]) -> list[float]:
        """Return one probability per row; a row gives every feature by name.

        Raises:
            BadInput: A feature is missing, unknown, of the wrong type, NaN or infinite. Missing is null.

        """
        if not rows:
            return []
        probabilities: list[float] = self.predict_matrix(self.encode_rows(rows)).tolist()
        return probabilities

    def predict_table(self, table: pa.Table) -> NDArray[np.float32]:
        """Return one probability per row of a table; columns that are no features are ignored.

        Raises:
            BadInput: A feature has no column, or its column has the wrong type, a NaN or an infinity.

        """
        return self.predict_matrix(self.encode_table(table))

    def predict_matrix(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return one probability per row of an encoded matrix of shape (n_rows, n_features)."""
        (probabilities,) = self._session.run(None, {INPUT: matrix})
        flat: NDArray[np.float32] = probabilities.ravel()
        return flat

    def encode_rows(self, rows: Sequence[Mapping[str, object]]) -> NDArray[np.float32]:
        """Return the matrix of the rows, shape (n_rows, n_features), columns in the signature's order."""
        return np.array([self._encode_row(row, index) for index, row in enumerate(rows)], dtype=np.float32)

    def encode_table(self, table: pa.Table) -> NDArray[np.float32]:
        """Return the matrix of the table, shape (n_rows, n_features), columns in the signature's order."""
        return encode_table(table, self.signature["features"])

    def _encode_row(self, row: Mapping[str, object], index: int) -> list[float]:
        if len(row) != len(self._codes):
            raise BadInput(f"row {index}: {self._name_mismatch(row)}")
        values: list[Any] = []
        for name, codes in self._codes:
            try:
                value = row[name]
            except KeyError:
                raise BadInput(f"row {index}: {self._name_mismatch(row)}") from None
            kind = type(value)
            if value is None:
                values.append(MISSING)
            elif codes is None:
                # One chained comparison refuses NaN, infinities and what float32 cannot hold.
                if (kind is float or kind is int) and -FLOAT32_MAX <= value <= FLOAT32_MAX:  # type: ignore[operator]
                    values.append(value)
                else:
                    values.append(require_number(f"row {index}: {name}", value))
            elif kind is str:
                values.append(codes.get(value, MISSING))  # type: ignore[call-overload]
            else:
                raise BadInput(f"row {index}: {name}: got {value!r:.80}, allowed is a text or null")
        return values

    def _name_mismatch(self, row: Mapping[str, object]) -> str:
        absent = [name for name in self.feature_names if name not in row]
        unknown = [str(name) for name in row if name not in self.feature_names]
        parts = [f"no value for {quoted(absent)} (send null where it is not known)"] if absent else []
        for name in unknown[:3]:
            close = get_close_matches(name, self.feature_names, n=1)
            parts.append(f"unknown feature {name!r}" + (f", did you mean {close[0]!r}?" if close else ""))
        if len(unknown) > 3:
            parts.append(f"and {len(unknown) - 3} more unknown features")
        return "; ".join(parts)


def has_model(folder: Path) -> bool:
    """Say whether the folder holds a model; an empty folder stands for "no model yet"."""
    return (folder / GRAPH).is_file()


def load_model(folder: Path, *, threads: int = 1) -> Model:
    """Load a model folder and check its signature against its graph.

    Args:
        folder: Holds `model.onnx` and `signature.json`.
        threads: Threads of one call; 1 is fastest for single rows, more helps batches.

    Raises:
        BadInput: A file is missing or unreadable, or signature and graph do not belong together.

    """
    if not has_model(folder):
        raise BadInput(f"{folder}: no {GRAPH} in it; an empty folder means that there is no model yet")
    signature = read_signature(folder)
    session = open_session(folder / GRAPH, threads=threads)
    require_match(signature, session, at=folder)
    model = Model(signature=signature, session=session)
    model.predict_rows([signature["example"]])
    return model


def read_signature(folder: Path) -> dict[str, Any]:
    """Read `signature.json` and check its shape.

    Raises:
        BadInput: It is not readable, of another version, or a feature in it is incomplete.

    """
    path = folder / SIGNATURE
    try:
        signature = json.loads(path.read_text(encoding="utf-8"))
        version, names = signature["version"], [feature["name"] for feature in signature["features"]]
        kinds = {feature["type"] for feature in signature["features"]}
        complete = all(f["type"] == "number" or "categories" in f for f in signature["features"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadInput(f"{path}: not a signature ({type(error).__name__}: {error})") from error
    if version != SIGNATURE_VERSION:
        raise BadInput(f"{path}: version {version!r}; this runtime reads version {SIGNATURE_VERSION}")
    if len(set(names)) < len(names) or not kinds <= {"number", "category"} or not complete:
        raise BadInput(f"{path}: needs distinct names, types number or category, and each category's list")
    if "example" not in signature:
        raise BadInput(f"{path}: has no example row; the runtime checks itself with it")
    checked: dict[str, Any] = signature
    return checked


def open_session(graph: Path, *, threads: int) -> onnxruntime.InferenceSession:
    """Open an ONNX file for inference on the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions derive from Exception, each on its own
        raise BadInput(f"{graph}: not a readable ONNX model ({error!s:.200})") from error


def require_match(signature: dict[str, Any], session: onnxruntime.InferenceSession, *, at: Path) -> None:
    """Refuse a graph that was not written together with this signature."""
    (first, *more) = session.get_inputs()
    width = len(signature["features"])
    if more or first.name != INPUT or first.type != "tensor(float)" or first.shape[1:] != [width]:
        raise BadInput(
            f"{at}: {GRAPH} takes {first.name!r} {first.type} {first.shape}, the signature names "
            f"{width} features; needed is one float input {INPUT!r} of shape [n, {width}]"
        )
    written = session.get_modelmeta().custom_metadata_map.get(METADATA_DIGEST)
    if written != features_digest(signature["features"]):
        raise BadInput(
            f"{at}: {SIGNATURE} was not written with this {GRAPH} (names, types, order or categories "
            "differ); restore the folder from the store"
        )


def features_digest(features: Sequence[Mapping[str, Any]]) -> str:
    """Return the SHA-256 of what encoding depends on: names, types, order and categories."""
    encoding = [[feature["name"], feature["type"], feature.get("categories")] for feature in features]
    return hashlib.sha256(json.dumps(encoding, separators=(",", ":")).encode()).hexdigest()


def encode_table(table: pa.Table, features: Sequence[Mapping[str, Any]]) -> NDArray[np.float32]:
    """Return the matrix of a table for the features of a signature, columns in their order.

    Raises:
        BadInput: A feature has no column, or its column has the wrong type, a NaN or an infinity.

    """
    absent = [feature["name"] for feature in features if feature["name"] not in table.column_names]
    if absent:
        raise BadInput(f"table: no column for {quoted(absent)}; it has {quoted(table.column_names)}")
    matrix = np.empty((table.num_rows, len(features)), dtype=np.float32)
    for index, feature in enumerate(features):
        name = feature["name"]
        matrix[:, index] = encode_column(name, table.column(name), category_codes(feature))
    return matrix


def category_codes(feature: Mapping[str, Any]) -> dict[str, float] | None:
    """Return the code of each category of a feature; None for a number."""
    if feature["type"] == "number":
        return None
    return {category: float(code) for code, category in enumerate(feature["categories"])}


def encode_column(name: str, column: pa.ChunkedArray, codes: Mapping[str, float] | None) -> NDArray[np.float32]:
    """Return a table's column as the model reads it; null and unseen categories become NaN."""
    import pyarrow as pa

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    is_number = pa.types.is_floating(kind) or pa.types.is_integer(kind)
    if not (is_text if codes is not None else is_number) and not pa.types.is_null(kind):
        allowed = "a number" if codes is None else "text (a category)"
        raise BadInput(f"table: {name}: got {column.type}, allowed is {allowed}")
    if codes is not None:
        texts, rows = category_rows(column.cast(pa.string()))
        return np.array([codes.get(text, MISSING) for text in texts] + [MISSING], np.float32)[rows]
    values, valid = column_values(column.cast(pa.float32(), safe=False), np.float32)
    if not np.isfinite(values[valid]).all():
        raise BadInput(f"table: {name}: holds NaN or an infinity; allowed are finite numbers and null")
    return np.where(valid, values, np.float32(MISSING))


def category_rows(column: pa.ChunkedArray) -> tuple[list[str], NDArray[np.int32]]:
    """Return the distinct texts of a column, and for each row the index of its text; -1 is null."""
    encoded = column.combine_chunks().dictionary_encode()
    indices, valid = column_values(encoded.indices, np.int32)
    return encoded.dictionary.to_pylist(), np.where(valid, indices, np.int32(-1))


def column_values(column: pa.ChunkedArray | pa.Array, kind: type[Scalar]) -> tuple[NDArray[Scalar], NDArray[np.bool_]]:
    """Return the values of a fixed-width column and which of them are not null.

    Read from Arrow's buffers, because `to_numpy` imports pandas where it is installed, which takes a second.
    """
    array = column.combine_chunks() if hasattr(column, "combine_chunks") else column
    validity, content = array.buffers()
    rows = slice(array.offset, array.offset + len(array))
    values = np.frombuffer(content or b"", dtype=kind)[rows]
    if validity is None:
        return values, np.ones(len(array), dtype=np.bool_)
    bits = np.unpackbits(np.frombuffer(validity, dtype=np.uint8), bitorder="little")
    return values, bits[rows].astype(np.bool_)


def require_number(where: str, value: object) -> float:
    """Return a value as a finite float, numpy scalars included, or say what is wrong with it."""
    if isinstance(value, np.floating | np.integer) or type(value) in {float, int}:
        number = float(value)  # type: ignore[arg-type]
        if -FLOAT32_MAX <= number <= FLOAT32_MAX:
            return number
    raise BadInput(f"{where}: got {value!r:.80}, allowed is a finite number or null")


def quoted(names: Sequence[str]) -> str:
    """Return names for a message, at most six of them."""
    shown = ", ".join(repr(name) for name in names[:6])
    return shown if len(names) <= 6 else f"{shown} and {len(names) - 6} more"
