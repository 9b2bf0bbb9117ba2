import json

import pytest

from argosy.serving.findings import MAX_LISTED, InvalidBody
from argosy.serving.validation import MAX_ROWS, RequestModel
from tests.fakes.serving import EXAMPLE, SIGNATURE


@pytest.fixture
def requests() -> RequestModel:
    return RequestModel(SIGNATURE)


def body_with(**changes: str) -> bytes:
    """Write the example's body, with JSON text in place of some values."""
    values = {name: json.dumps(value) for name, value in EXAMPLE.items()} | changes
    return b'{"features": {%s}}' % ", ".join(f'"{name}": {text}' for name, text in values.items()).encode()


def refusal_of(requests: RequestModel, body: bytes, *, batch: bool = False) -> InvalidBody:
    with pytest.raises(InvalidBody) as refused:
        requests.decode_many(body) if batch else requests.decode_row(body)
    return refused.value


def test_a_row_is_read_by_name_in_any_order(requests):
    body = json.dumps({"features": dict(reversed(EXAMPLE.items()))}).encode()

    assert requests.decode_row(body) == EXAMPLE


def test_null_is_allowed_where_the_feature_is_nullable(requests):
    assert requests.decode_row(body_with(temp="null"))["temp"] is None
    assert refusal_of(requests, body_with(seats="null")).findings == [
        {"error": "features.seats: wrong value", "field": "features.seats", "got": None, "allowed": "a finite number"}
    ]


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("1e400", "1e400"),
        ("9" * 400, "9" * 80 + "..."),
        ("1e39", 10**39),
        ('"44.1"', "44.1"),
        ("true", True),
        ("[1, 2]", "a list of 2"),
        ('{"a": 1}', "an object"),
    ],
)
def test_what_is_no_finite_number_is_refused_with_its_path(requests, text, got):
    refused = refusal_of(requests, body_with(temp=text))

    assert refused.status == 422
    (finding,) = refused.findings
    assert finding["field"] == "features.temp"
    assert finding["got"] == (pytest.approx(got) if isinstance(got, int) and got > 1 else got)
    assert finding["allowed"] == "a finite number or null"


@pytest.mark.parametrize("text", ["1", "true", "[]"])
def test_what_is_no_text_is_refused_for_a_category(requests, text):
    (finding,) = refusal_of(requests, body_with(**{"class": text})).findings

    assert (finding["field"], finding["allowed"]) == ("features.class", "text or null")


def test_every_bad_field_of_a_body_is_named_at_once(requests):
    refused = refusal_of(requests, b'{"features": {"tmp": 1, "temp": "x"}, "extra": 0}')

    assert [(f["field"], f["error"].partition(": ")[2]) for f in refused.findings] == [
        ("extra", "unknown field"),
        ("features.tmp", "unknown field"),
        ("features.temp", "wrong value"),
        ("features.class", "missing field"),
        ("features.seats", "missing field"),
    ]
    assert refused.findings[1]["allowed"] == "temp"


@pytest.mark.parametrize("body", [b"{", b"", b"\xff", b'{"features": {"class": "\xff"}}', b"[" * 100_000])
def test_text_that_is_not_json_is_refused_with_400(requests, body):
    assert refusal_of(requests, body).status == 400


def test_json_in_another_encoding_is_refused_with_400(requests):
    assert refusal_of(requests, body_with().decode().encode("utf-16")).status == 400


@pytest.mark.parametrize(
    ("body", "field"), [(b"[]", ""), (b"{}", "features"), (b'{"features": 1}', "features"), (b"null", "")]
)
def test_json_of_another_shape_is_refused_with_422(requests, body, field):
    refused = refusal_of(requests, body)

    assert (refused.status, refused.findings[0]["field"]) == (422, field)


def test_a_lone_surrogate_is_refused_and_can_be_shown(requests):
    refused = refusal_of(requests, body_with(temp='"\\ud800"'))

    assert json.dumps(refused.findings, ensure_ascii=False).encode()


def test_a_batch_keeps_the_order_of_its_rows(requests):
    rows = [{**EXAMPLE, "temp": temp} for temp in (0.3, 0.1, None)]

    assert requests.decode_many(json.dumps({"rows": rows}).encode()) == rows


def test_a_bad_cell_of_a_batch_is_named_with_its_row(requests):
    rows = [EXAMPLE, EXAMPLE, EXAMPLE, {**EXAMPLE, "temp": "x"}]
    refused = refusal_of(requests, json.dumps({"rows": rows}).encode(), batch=True)

    assert [finding["field"] for finding in refused.findings] == ["rows[3].temp"]


def test_a_batch_full_of_bad_rows_lists_a_bounded_number(requests):
    refused = refusal_of(requests, json.dumps({"rows": [{}] * 1000}).encode(), batch=True)

    assert len(refused.findings) == MAX_LISTED


@pytest.mark.parametrize(("rows", "status"), [([], 422), ([EXAMPLE] * (MAX_ROWS + 1), 413), ("x", 422), ([1], 422)])
def test_a_batch_has_from_one_to_the_limit_of_rows(requests, rows, status):
    assert refusal_of(requests, json.dumps({"rows": rows}).encode(), batch=True).status == status


def test_a_value_is_warned_of_only_when_far_outside_its_training_range(requests):
    assert requests.find_warnings({**EXAMPLE, "temp": 1.9}, "features") == []
    assert requests.find_warnings({**EXAMPLE, "temp": None, "class": None}, "features") == []
    assert requests.find_warnings({**EXAMPLE, "temp": 2.1}, "rows[1]") == [
        {
            "field": "rows[1].temp",
            "warning": "far outside the training range",
            "got": 2.1,
            "trained_on": "0.0 to 1.0",
        }
    ]


def test_a_category_that_training_has_not_seen_is_warned_of(requests):
    (warning,) = requests.find_warnings({**EXAMPLE, "class": "ZZ"}, "features")

    assert warning == {
        "field": "features.class",
        "warning": "not seen in training, read as null",
        "got": "ZZ",
        "trained_on": "AA, B6",
    }
