from __future__ import annotations

import json
import shutil
import timeit
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from argosy.errors import BadInput
from argosy.serving.runtime import Model, has_model, load_model
from tests.fakes.frames import frame_table, tiny_model

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("runtime") / "model")


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return load_model(folder)


@pytest.fixture
def row(model: Model) -> dict[str, object]:
    return dict(model.signature["example"])


def test_a_row_gives_a_probability(model, row):
    (probability,) = model.predict_rows([row])

    assert isinstance(probability, float)
    assert 0 < probability < 1


def test_no_rows_give_no_probabilities(model):
    assert model.predict_rows([]) == []


def test_features_are_read_by_name_in_any_order(model, row):
    shuffled = dict(reversed(row.items()))

    assert model.predict_rows([shuffled]) == model.predict_rows([row])


def test_rows_and_a_table_give_the_same_probabilities_nulls_included(model):
    table = frame_table(days=10, seed=3)
    rows = table.select(list(model.feature_names)).to_pylist()

    assert model.predict_table(table).tolist() == model.predict_rows(rows)


def test_an_unseen_category_predicts_as_a_null(model, row):
    unseen, null = row | {"carrier": "ZZ"}, row | {"carrier": None}

    assert model.predict_rows([unseen]) == model.predict_rows([null])


def test_a_dictionary_column_is_a_category(model):
    table = frame_table(days=3)
    index = table.column_names.index("carrier")
    encoded = table.set_column(index, "carrier", table["carrier"].dictionary_encode())

    assert model.predict_table(encoded).tolist() == model.predict_table(table).tolist()


@pytest.mark.parametrize("name", ["temp", "carrier"])
def test_a_column_of_nothing_but_nulls_is_allowed(model, name):
    table = frame_table(days=1)
    index = table.column_names.index(name)

    probabilities = model.predict_table(table.set_column(index, name, pa.nulls(table.num_rows)))

    assert np.isfinite(probabilities).all()


@pytest.mark.parametrize(("offset", "length"), [(0, 0), (13, 1), (13, 50), (8, 64)])
def test_a_slice_of_a_table_is_read_from_its_own_first_row(model, offset, length):
    table = frame_table(days=4)
    whole = model.predict_table(pa.concat_tables([table, table]))

    part = model.predict_table(pa.concat_tables([table, table]).slice(150 + offset, length))

    assert part.tolist() == whole[150 + offset : 150 + offset + length].tolist()


def test_whole_numbers_and_doubles_are_numbers(model):
    table = frame_table(days=1)
    expected = model.predict_table(table).tolist()
    for kind in (pa.int32(), pa.float64()):
        index = table.column_names.index("seats")
        table = table.set_column(index, "seats", table["seats"].cast(kind))

        assert model.predict_table(table).tolist() == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e300, "44.1", True, [1.0]])
def test_a_number_that_is_none_is_refused_by_name(model, row, value):
    with pytest.raises(BadInput, match=r"^row 0: temp: got .*allowed is a finite number or null$"):
        model.predict_rows([row | {"temp": value}])


def test_numpy_scalars_are_numbers(model, row):
    as_numpy = row | {"temp": np.float32(row["temp"]), "queue": np.int64(3)}

    assert model.predict_rows([as_numpy]) == model.predict_rows([row | {"queue": 3}])


def test_a_category_that_is_no_text_is_refused_by_name(model, row):
    with pytest.raises(BadInput, match=r"^row 1: carrier: got 7, allowed is a text or null$"):
        model.predict_rows([row, row | {"carrier": 7}])


def test_an_unknown_feature_is_named_with_its_nearest_match(model, row):
    with pytest.raises(BadInput, match=r"row 0: unknown feature 'tempp', did you mean 'temp'\?"):
        model.predict_rows([row | {"tempp": 1.0}])


def test_a_missing_feature_is_named(model, row):
    del row["queue"]

    with pytest.raises(BadInput, match=r"row 0: no value for 'queue' \(send null where it is not known\)"):
        model.predict_rows([row])


def test_a_renamed_feature_is_named_on_both_sides(model, row):
    row["Temp"] = row.pop("temp")

    with pytest.raises(BadInput, match=r"no value for 'temp'.*unknown feature 'Temp', did you mean 'temp'"):
        model.predict_rows([row])


def test_many_unknown_features_are_counted(model, row):
    with pytest.raises(BadInput, match="and 2 more unknown features"):
        model.predict_rows([row | {f"x{index}": 1 for index in range(5)}])


def test_a_table_without_a_column_names_it(model):
    with pytest.raises(BadInput, match="no column for 'temp'"):
        model.predict_table(frame_table(days=1).drop_columns(["temp"]))


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("temp", ["a"], "temp: got string, allowed is a number"),
        ("temp", [float("nan")], "temp: holds NaN or an infinity"),
        ("temp", [float("inf")], "temp: holds NaN or an infinity"),
        ("carrier", [1.0], "carrier: got double, allowed is text"),
    ],
)
def test_a_table_column_of_the_wrong_kind_is_refused_by_name(model, name, values, message):
    table = frame_table(days=1, per_day=1)
    table = table.set_column(table.column_names.index(name), name, pa.array(values))

    with pytest.raises(BadInput, match=message):
        model.predict_table(table)


def test_an_empty_folder_is_no_model(tmp_path):
    assert not has_model(tmp_path)
    with pytest.raises(BadInput, match="there is no model yet"):
        load_model(tmp_path)


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(folder, tmp_path / "model")


def edit_signature(folder: Path, edit) -> None:
    path = folder / "signature.json"
    signature = json.loads(path.read_text())
    edit(signature)
    path.write_text(json.dumps(signature))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda s: s["features"].reverse(), "was not written with this model.onnx"),
        (lambda s: s["features"][1]["categories"].reverse(), "was not written with this model.onnx"),
        (lambda s: s["features"].pop(), "the signature names 8 features"),
        (lambda s: s.update(version=2), "version 2; this runtime reads version 1"),
        (lambda s: s["features"][0].update(name="temp"), "needs distinct names"),
        (lambda s: s["features"][0].update(type="date"), "types number or category"),
        (lambda s: s["features"][1].pop("categories"), "each category's list"),
        (lambda s: s.pop("example"), "has no example row"),
        (lambda s: s.pop("features"), "not a signature"),
        (lambda s: s["example"].pop("temp"), "no value for 'temp'"),
    ],
)
def test_a_signature_that_does_not_fit_its_graph_is_refused_at_load(copied, edit, message):
    edit_signature(copied, edit)

    with pytest.raises(BadInput, match=message):
        load_model(copied)


def test_a_damaged_graph_is_refused_at_load(copied):
    (copied / "model.onnx").write_bytes(b"not a graph")

    with pytest.raises(BadInput, match="not a readable ONNX model"):
        load_model(copied)


def test_a_row_takes_less_than_a_tenth_of_a_millisecond(model, row):
    seconds = min(timeit.repeat(lambda: model.predict_rows([row]), number=200, repeat=5)) / 200

    assert seconds < 100e-6
