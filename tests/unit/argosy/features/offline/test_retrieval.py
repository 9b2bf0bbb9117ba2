import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.errors import BadInput
from argosy.features.definitions.compile import rules_of
from argosy.features.rules import RequestFeature
from argosy.training.dropout import droppable_columns
from tests.fakes.features import (
    SECOND,
    T0,
    a_feature,
    a_request,
    a_row,
    a_view,
    described,
    retrieve_rows,
    rules_with,
    seconds,
    visible,
    write_rows,
)

TTL = 60 * SECOND


def cell(tmp_path, rows, *, view=None, **request):
    """Retrieve one request and return its only row."""
    view = view or a_view()
    made, _ = retrieve_rows(
        tmp_path, rules_with(view), requests={"p": [a_request(**request)]}, sources={view.source: rows}
    )
    [row] = made["p"]
    return row


@pytest.mark.parametrize(
    ("known_at", "status", "value"),
    [
        (T0 + 1, "NOT_FOUND", None),
        (T0, "PRESENT", 1.0),
        (T0 - 1, "PRESENT", 1.0),
        (T0 - TTL + 1, "PRESENT", 1.0),
        (T0 - TTL, "PRESENT", 1.0),
        (T0 - TTL - 1, "OUTSIDE_MAX_AGE", None),
    ],
)
def test_a_row_is_visible_from_its_instant_to_its_ttl_to_the_microsecond(tmp_path, known_at, status, value):
    row = cell(tmp_path, [a_row(known_at=known_at)])

    assert (row["temps__status"], row["v"]) == (status, value)


def test_an_age_is_a_feature_only_while_its_row_is_usable(tmp_path):
    fresh = cell(tmp_path / "fresh", [a_row(known_at=T0 - 30 * SECOND)])
    stale = cell(tmp_path / "stale", [a_row(known_at=T0 - 90 * SECOND)])

    assert (fresh["temps_age_s"], fresh["temps__age_s"]) == (30.0, 30.0)
    assert (stale["temps_age_s"], stale["temps__age_s"]) == (None, 90.0)


def test_a_view_without_a_ttl_never_expires_and_offers_no_age(tmp_path):
    row = cell(tmp_path, [a_row(known_at=0)], view=a_view(ttl_us=None, age_feature=None))

    assert row["temps__status"] == "PRESENT"
    assert "temps_age_s" not in row


def test_a_newest_null_stays_null_and_hides_the_value_before_it(tmp_path):
    row = cell(tmp_path, [a_row(known_at=T0 - 2), a_row(known_at=T0 - 1, v=None)])

    assert (row["temps__status"], row["v"], row["temps__age_s"]) == ("NULL_VALUE", None, seconds(1))


def test_the_newest_created_wins_at_one_instant_whatever_the_order_of_rows(tmp_path):
    view = a_view(created="created")
    rows = [a_row(created=T0 + 2, v=2.0), a_row(created=T0 + 3, v=3.0), a_row(created=T0 + 1, v=1.0)]

    for number, order in enumerate((rows, rows[::-1])):
        assert cell(tmp_path / str(number), order, view=view)["v"] == 3.0


def test_the_newest_instant_wins_over_the_newest_created(tmp_path):
    rows = [a_row(known_at=T0 - 2, created=T0 + 9, v=2.0), a_row(known_at=T0 - 1, created=T0, v=1.0)]

    assert cell(tmp_path, rows, view=a_view(created="created"))["v"] == 1.0


def test_a_row_delivered_twice_counts_once(tmp_path):
    made, report = retrieve_rows(
        tmp_path, rules_with(a_view()), requests={"p": [a_request()]}, sources={"temps": [a_row(), a_row()]}
    )

    assert len(made["p"]) == 1
    assert report["rows"] == {"requests": 1, "frame": 1}


def test_two_different_rows_of_one_key_and_instant_are_refused(tmp_path):
    with pytest.raises(BadInput, match=r"temps\.parquet: 2 different rows .*declare a created column"):
        cell(tmp_path, [a_row(v=1.0), a_row(v=2.0)])


def test_two_different_rows_created_together_are_refused(tmp_path):
    with pytest.raises(BadInput, match="2 different rows"):
        cell(tmp_path, [a_row(v=1.0), a_row(v=2.0)], view=a_view(created="created"))


def test_a_request_without_a_key_finds_nothing(tmp_path):
    assert cell(tmp_path, [a_row(k=None)], k=None)["temps__status"] == "NOT_FOUND"


def test_an_empty_source_gives_nulls(tmp_path):
    assert cell(tmp_path, [])["v"] is None


def test_several_keys_must_all_agree(tmp_path):
    view = a_view(keys=["k", "k2"])

    assert cell(tmp_path / "same", [a_row(k2=1)], view=view)["v"] == 1.0
    assert cell(tmp_path / "other", [a_row(k2=2)], view=view)["v"] is None


def test_since_measures_from_an_instant_in_the_row_and_is_negative_before_it(tmp_path):
    view = a_view(features=[a_feature(name="slack", field="at", since="min")])

    assert cell(tmp_path / "after", [a_row(at=T0 - 90 * SECOND)], view=view)["slack"] == 1.5
    assert cell(tmp_path / "before", [a_row(at=T0 + 60 * SECOND)], view=view)["slack"] == -1.0


def test_equals_compares_a_field_with_the_request(tmp_path):
    view = a_view(features=[a_feature(name="same", field="w", equals="day")])

    assert cell(tmp_path / "same", [a_row(w="2013-01-01")], view=view)["same"] == 1.0
    assert cell(tmp_path / "other", [a_row(w="2013-01-02")], view=view)["same"] == 0.0
    assert cell(tmp_path / "null", [a_row(w=None)], view=view)["same"] is None


@pytest.mark.parametrize(("known_at", "expected"), [(T0, 7.0), (T0 - TTL - 1, None), (T0 + 1, None)])
def test_what_a_request_brings_expires_with_the_view_it_names(tmp_path, known_at, expected):
    size = RequestFeature("size", "number", "now", "a size", expires_with="temps")
    made, _ = retrieve_rows(
        tmp_path,
        rules_with(a_view(), request=[size]),
        requests={"p": [a_request(size=7.0)]},
        sources={"temps": [a_row(known_at=known_at)]},
    )

    assert made["p"][0]["size"] == expected


@pytest.mark.parametrize(
    ("changes", "known_at", "what"),
    [({"on_expired": "fail"}, T0 - TTL - 1, "expired"), ({"on_missing": "fail"}, T0 + 1, "missing")],
)
def test_a_view_that_must_not_expire_or_be_missing_stops_the_step(tmp_path, changes, known_at, what):
    with pytest.raises(BadInput, match=rf"view 'temps': 1 requests find its row {what}"):
        cell(tmp_path, [a_row(known_at=known_at)], view=a_view(**changes))


def test_an_expired_row_that_is_to_be_referred_is_null_offline(tmp_path):
    row = cell(tmp_path, [a_row(known_at=T0 - TTL - 1)], view=a_view(on_expired="refer"))

    assert (row["temps__status"], row["v"]) == ("OUTSIDE_MAX_AGE", None)


def test_what_a_group_tag_puts_together_is_blanked_together_in_training(tmp_path):
    forever = a_view(name="place", ttl_us=None, age_feature=None, features=[a_feature(name="p")])
    views = [described(a_view()) | {"name": "temps"}, described(forever)]
    views[1]["tags"] |= {"group": "place", "ttl": "forever"}
    views[1]["fields"] = [{**views[1]["fields"][0], "tags": {"feature": "p"}}]
    size = {"name": "size", "dtype": "Float32", "description": "", "tags": {"group": "weather"}}
    found = {"services": ["test"], "id": "id", "request": [size], "views": views, "on_demand": []}
    retrieve_rows(
        tmp_path,
        rules_of(found, "test"),
        requests={"p": [a_request(size=1.0)]},
        sources={"temps": [a_row()]},
    )

    schema = json.loads((tmp_path / "frame" / "schema.json").read_text())

    names = [feature["name"] for feature in schema["features"]]
    assert [[names[index] for index in group] for group in droppable_columns(schema)] == [["size", "v", "temps_age_s"]]
    assert names == ["size", "p", "v", "temps_age_s"]


@pytest.mark.parametrize(("later", "status"), [(-1, "NOT_FOUND"), (0, "PRESENT"), (50 * SECOND, "PRESENT")])
def test_a_row_that_is_available_later_counts_from_then_on_and_ages_from_its_timestamp(tmp_path, later, status):
    row = cell(tmp_path, [a_row(known_at=T0)], view=a_view(availability=10 * SECOND), t0=T0 + 10 * SECOND + later)

    assert (row["temps__status"], row["temps_age_s"]) == (status, None if status == "NOT_FOUND" else 10 + later / 1e6)


def test_until_a_row_is_available_the_one_before_it_counts(tmp_path):
    rows = [a_row(known_at=T0 - 20 * SECOND, v=1.0), a_row(known_at=T0 - 5 * SECOND, v=2.0)]

    assert cell(tmp_path, rows, view=a_view(availability=10 * SECOND))["v"] == 1.0


@pytest.mark.parametrize(("created", "status"), [(T0, "PRESENT"), (T0 + 1, "NOT_FOUND"), (None, "NOT_FOUND")])
def test_a_row_that_was_created_after_the_request_was_not_known_to_it(tmp_path, created, status):
    view = a_view(created="created", availability="created")

    assert cell(tmp_path, [a_row(known_at=T0 - 9, created=created)], view=view)["temps__status"] == status


def test_a_correction_counts_from_its_creation_on_and_what_it_corrects_until_then(tmp_path):
    view = a_view(created="created", availability="created")
    rows = [a_row(created=T0, v=1.0), a_row(created=T0 + 10, v=2.0)]

    found = [cell(tmp_path / str(later), rows, view=view, t0=T0 + later)["v"] for later in (9, 10)]
    assert found == [1.0, 2.0]


def test_a_late_row_never_hides_a_newer_one(tmp_path):
    view = a_view(created="created", availability="created")
    rows = [a_row(known_at=T0 - 9, created=T0 - 1, v=1.0), a_row(known_at=T0 - 5, created=T0 - 5, v=2.0)]

    assert cell(tmp_path, rows, view=view)["v"] == 2.0


def test_two_different_rows_created_together_are_refused_whatever_makes_them_available(tmp_path):
    with pytest.raises(BadInput, match="2 different rows"):
        cell(tmp_path, [a_row(v=1.0), a_row(v=2.0)], view=a_view(created="created", availability="created"))


def test_parts_keep_their_requests_sorted_by_time_and_id(tmp_path):
    early, late = [a_request(id="c"), a_request(id="a")], [a_request(id="b", t0=T0 + 5), a_request(id="d", t0=T0 + 4)]
    made, _ = retrieve_rows(
        tmp_path, rules_with(a_view()), requests={"2": late, "1": early}, sources={"temps": [a_row()]}
    )

    assert {part: [row["id"] for row in rows] for part, rows in made.items()} == {"1": ["a", "c"], "2": ["d", "b"]}


def test_the_frame_and_its_schema_have_the_same_columns_in_the_same_order(tmp_path):
    size = RequestFeature("size", "number", "schedule", "a size")
    views = (
        a_view(),
        a_view(
            name="other", source="temps", age_feature=None, features=[a_feature(name="w", field="w", type="category")]
        ),
    )
    made, _ = retrieve_rows(
        tmp_path,
        rules_with(*views, request=[size]),
        requests={"p": [a_request(size=1.0)]},
        sources={"temps": [a_row()]},
    )
    schema = json.loads((tmp_path / "frame" / "schema.json").read_text())

    features = [feature["name"] for feature in schema["features"]]
    assert features == ["size", "v", "temps_age_s", "w"]
    audit = ["temps__status", "temps__age_s", "other__status", "other__age_s"]
    assert list(made["p"][0]) == ["id", "t0", "day", "y", "label_at", *features, *audit]


def test_the_report_says_coverage_per_part_statuses_and_ages(tmp_path):
    requests = {"1": [a_request(), a_request(id="r2", k="b")], "2": [a_request(id="r3", t0=T0 + 2 * TTL)]}
    _, report = retrieve_rows(tmp_path, rules_with(a_view()), requests=requests, sources={"temps": [a_row()]})

    assert report["views"]["temps"] == {
        "ttl_s": 60.0,
        "age_s": {"p50": 0.0, "p90": 120.0, "p99": 120.0, "max": 120.0},
        "statuses": {"NOT_FOUND": 1, "OUTSIDE_MAX_AGE": 1, "PRESENT": 1},
        "coverage": 0.333333,
        "min_coverage": 0.5,
        "covered": False,
        "by_part": {"1": 0.5, "2": 0.0},
    }


def test_the_same_rows_in_another_order_give_the_same_bytes(tmp_path):
    rows = [a_row(k=key, known_at=T0 - age) for key in "abc" for age in range(5)]
    requests = [a_request(id=str(number), k=key) for number, key in enumerate("abcab")]
    for name, flip in (("one", 1), ("two", -1)):
        retrieve_rows(
            tmp_path / name, rules_with(a_view()), requests={"p": requests[::flip]}, sources={"temps": rows[::flip]}
        )

    one, two = (sorted((tmp_path / name / "frame").iterdir()) for name in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_an_id_that_stands_twice_is_refused(tmp_path):
    with pytest.raises(BadInput, match="id 'r1' stands 2 times"):
        retrieve_rows(
            tmp_path,
            rules_with(a_view()),
            requests={"1": [a_request()], "2": [a_request()]},
            sources={"temps": [a_row()]},
        )


def test_missing_columns_are_named_with_their_file(tmp_path):
    with pytest.raises(BadInput, match=r"temps\.parquet: no columns \['gone'\]"):
        cell(tmp_path, [a_row()], view=a_view(features=[a_feature(field="gone")]))

    with pytest.raises(BadInput, match=r"part-p\.parquet: no columns \['gone'\]"):
        cell(tmp_path, [a_row()], view=a_view(keys=["gone"]))


def test_a_field_of_another_type_is_refused_with_its_file_and_view(tmp_path):
    with pytest.raises(BadInput, match=r"temps\.parquet: view 'temps' cannot read it: .*'x'"):
        cell(tmp_path, [a_row()], view=a_view(features=[a_feature(field="w")]))


def test_a_folder_without_requests_is_refused(tmp_path):
    write_rows(tmp_path / "events" / "temps.parquet", [a_row()])

    with pytest.raises(BadInput, match=r"requests: no part-\*\.parquet"):
        retrieve_rows(tmp_path, rules_with(a_view()), requests={}, sources={})


KEYS = st.sampled_from(["a", "b", None])
INSTANTS = st.sampled_from([T0 + age for age in (-2 * TTL, -TTL - 1, -TTL, -TTL + 1, -SECOND, -1, 0, 1, TTL, TTL + 1)])
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "k": KEYS,
            "known_at": INSTANTS,
            "created": INSTANTS | st.integers(T0, T0 + 9),
            "v": st.none() | st.integers(-9, 9).map(float),
        }
    ),
    max_size=25,
    unique_by=lambda row: (row["k"], row["known_at"], row["created"]),
)
ASKED = st.lists(st.fixed_dictionaries({"k": KEYS, "t0": INSTANTS}), min_size=1, max_size=25)


AVAILABILITY = st.sampled_from([0, "created", SECOND, TTL, 2 * TTL])


@settings(max_examples=40, deadline=None)
@given(rows=ROWS, asked=ASKED, ttl=st.sampled_from([None, SECOND, TTL]), availability=AVAILABILITY)
def test_retrieval_agrees_with_the_rule_read_row_by_row(rows, asked, ttl, availability):
    view = a_view(ttl_us=ttl, created="created", age_feature=None, availability=availability)
    rows = [a_row(**row) for row in rows]
    requests = [a_request(id=str(number), **each) for number, each in enumerate(asked)]
    with tempfile.TemporaryDirectory() as folder:
        made, _ = retrieve_rows(Path(folder), rules_with(view), requests={"p": requests}, sources={"temps": rows})

    found = {row["id"]: (row["temps__status"], row["temps__age_s"], row["v"]) for row in made["p"]}
    for request in requests:
        status, age, row = visible(view, rows, request)
        assert found[request["id"]] == (status, seconds(age), row and row["v"])
