import json
from pathlib import Path

import pytest

from argosy.errors import Mistake
from argosy.features.definitions.compile import compile_features, describe, describe_all, rules_of
from argosy.features.rules import Group, read_rules
from tests.fakes.features import a_feature, a_view, described

ROOT = Path(__file__).parents[5]
GOLDEN = ROOT / "tests" / "golden" / "flights_delay.features.json"


def a_service(*views, request=(), **changes):
    """Return a described service."""
    found = {"services": ["test"], "id": "id", "views": [described(view) for view in views], "request": list(request)}
    found |= {"on_demand": []}
    return {**found, **changes}


def test_views_come_sorted_and_groups_in_the_order_of_their_first_feature():
    late = a_view(name="z", features=[a_feature(name="z")], group="slow", ttl_us=120_000_000)
    early = a_view(name="a", features=[a_feature(name="a", field="a")], group="slow", ttl_us=90_000_000)
    views = [described(each) for each in (late, early)]
    request = [{"name": "size", "dtype": "Int64", "description": "", "tags": {"group": "schedule"}}]

    rules = rules_of(a_service(request=request) | {"views": views}, "test")

    assert [view.name for view in rules.views] == ["a", "z"]
    assert rules.groups == [Group("schedule", None, droppable=False), Group("slow", 90.0, droppable=True)]


def test_a_service_that_is_not_there_is_named_with_the_nearest():
    with pytest.raises(Mistake, match=r"feature service 'tests': there is none; .* did you mean 'test'\?"):
        rules_of({"services": ["test"]}, "tests")


def test_every_problem_of_a_service_is_one_line():
    views = [a_view(ttl_us=None), a_view(name="b", ttl_us=1, features=[a_feature(field="w")])]

    with pytest.raises(Mistake) as caught:
        rules_of(a_service(*views), "test")

    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == [
        " feature view 'temps'",
        " feature view 'b'",
    ]


def test_what_is_wrong_with_the_stores_comes_with_the_rest():
    with pytest.raises(Mistake) as caught:
        rules_of(a_service(a_view(ttl_us=None)), "test", stores=["feature_store.yaml: offline_store.type 'ray': no"])

    assert [line.partition(": ")[2][:18] for line in str(caught.value).splitlines()] == [
        "feature_store.yaml",
        "feature view 'temp",
    ]


@pytest.mark.parametrize(("tag", "availability"), [(None, 0), ("15s", 15_000_000), ("created", "created")])
def test_a_tag_says_from_when_on_a_row_may_be_used(tag, availability):
    view = described(a_view(created="created", owner="weather desk"))
    view["tags"] |= {} if tag is None else {"availability": tag}

    [made] = rules_of(a_service() | {"views": [view]}, "test").views

    assert (made.availability, made.owner) == (availability, "weather desk")


def test_the_tags_of_a_field_make_another_feature_of_it():
    view = described(a_view())
    view["fields"] = [
        {"name": "at", "dtype": "UnixTimestamp", "description": "", "tags": {"feature": "slack", "since": "min"}},
        {"name": "w", "dtype": "String", "description": "", "tags": {"feature": "same", "equals": "day"}},
        {"name": "x", "dtype": "String", "description": "", "tags": {}},
    ]

    [made] = rules_of(a_service() | {"views": [view]}, "test").views

    assert [(f.name, f.field, f.type, f.since, f.equals) for f in made.features] == [
        ("slack", "at", "number", "min", None),
        ("same", "w", "number", None, "day"),
        ("x", "x", "category", None, None),
    ]


REPOSITORY = """
from datetime import timedelta
from feast import Entity, FeatureService, FeatureView, Field, FileSource, RequestSource, ValueType
from feast.types import Float32

place = Entity(name="place", join_keys=["place_id"], value_type=ValueType.STRING)
columns = {"timestamp_field": "known_at", "created_timestamp_column": "created"}
source = FileSource(name="sensor", path="sensor.parquet", **columns)
temps = FeatureView(
    name="temps", entities=[place], ttl=timedelta(minutes=1), source=source, online=False, tags={"group": "weather"},
    owner="desk", schema=[Field(name="v", dtype=Float32), Field(name="unread", dtype=Float32)],
)
asked = RequestSource(name="asked", schema=[Field(name="size", dtype=Float32, tags={"group": "schedule"})])
service = FeatureService(name="test", features=[temps[["v"]]], tags={"request": "asked", "id": "case"})
"""


@pytest.mark.slow
def test_a_repository_is_read_by_a_child_that_alone_imports_feast(tmp_path):
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "all.py").write_text(REPOSITORY)

    counts = compile_features(feature_repo=tmp_path / "repo", service="test", out=tmp_path / "out" / "features.json")

    rules = read_rules(tmp_path / "out" / "features.json")
    assert counts == {"service": "test", "views": 1, "features": 3, "warnings": []}
    assert (rules.id, [each.name for each in rules.request]) == ("case", ["size"])
    [view] = rules.views
    assert (view.source, view.timestamp, view.created, view.keys) == ("sensor", "known_at", "created", ["place_id"])
    assert (view.ttl_us, view.owner, [feature.name for feature in view.features]) == (60_000_000, "desk", ["v"])


ON_DEMAND = """
from feast.on_demand_feature_view import on_demand_feature_view

@on_demand_feature_view(sources=[temps], schema=[Field(name="double", dtype=Float32)], mode="python")
def doubled(inputs):
    return {"double": inputs["v"]}

more = FeatureService(name="more", features=[temps[["v"]], doubled])
unread = FeatureView(name="unread", entities=[place], source=source, schema=[Field(name="u", dtype=Float32)])
"""


@pytest.mark.slow
def test_all_services_are_read_at_once_with_their_on_demand_views_and_what_none_reads(tmp_path):
    (tmp_path / "all.py").write_text(REPOSITORY + ON_DEMAND)

    found = describe_all(tmp_path)

    assert [view["name"] for view in found["unread"]] == ["unread"]
    assert found["services"]["test"] == describe(tmp_path, "test")
    with pytest.raises(Mistake, match="on-demand feature view 'doubled': nothing keeps its code to the TTL"):
        rules_of(found["services"]["more"], "more")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import nowhere_to_be_found", "No module named 'nowhere_to_be_found'"),
        (REPOSITORY.replace('"request": "asked"', '"request": "askd"'), "'askd' is not a variable of a module"),
    ],
)
def test_a_repository_that_cannot_be_read_says_why(tmp_path, text, expected):
    (tmp_path / "all.py").write_text(text)

    with pytest.raises(Mistake, match=f"cannot be read as Feast definitions: .*{expected}"):
        describe(tmp_path, "test")


@pytest.mark.slow
def test_a_repository_whose_stores_cannot_keep_the_rule_is_refused(tmp_path):
    (tmp_path / "all.py").write_text(REPOSITORY)
    (tmp_path / "feature_store.yaml").write_text("offline_store: {type: ray}\nregistry: {registry_type: sql}\n")

    with pytest.raises(Mistake, match=r"feature_store\.yaml: offline_store\.type 'ray': it knows no ttl"):
        compile_features(feature_repo=tmp_path, service="test", out=tmp_path / "features.json")


@pytest.mark.slow
def test_the_flights_definitions_compile_to_the_golden_rules(tmp_path):
    out = tmp_path / "features.json"
    compile_features(feature_repo=ROOT / "feature_repo", service="flights_delay", out=out)

    assert json.loads(out.read_text()) == json.loads(GOLDEN.read_text())
    assert out.read_bytes() == GOLDEN.read_bytes()


def test_golden_rules_read_and_write_unchanged():
    assert read_rules(GOLDEN).to_json() == GOLDEN.read_text()
