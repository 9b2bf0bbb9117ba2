import ast
import importlib.util
from pathlib import Path

import duckdb
import pytest
import yaml

from argosy.errors import BadInput
from argosy.features.definitions.stores import (
    CHECKS,
    OFFLINE,
    ONLINE,
    OUR_ONLINE,
    OURS,
    checks_of,
    problems_of_repository,
    problems_of_store,
    query_of,
)
from tests.fakes.features import SECOND

GOOD = {
    "registry": {"registry_type": "sql", "path": "sqlite:///registry.db"},
    "offline_store": {"type": OURS},
    "online_store": {"type": OUR_ONLINE[0]},
}


def a_view(**changes):
    return {"name": "temps", "ttl_us": 60 * SECOND, "online": True, "tags": {}, **changes}


def a_repository(folder, **changes):
    (folder / "feature_store.yaml").write_text(yaml.safe_dump(GOOD | changes))
    return folder


def feasts_own(table):
    """Read the types of stores out of Feast's source; importing it takes seconds."""
    [package] = importlib.util.find_spec("feast").submodule_search_locations
    tree = ast.parse((Path(package) / "repo_config.py").read_text())
    found = next(
        each.value for each in tree.body if isinstance(each, ast.Assign) and each.targets[0].id == f"{table}_FOR_TYPE"
    )
    return {key.value: value.value for key, value in zip(found.keys, found.values, strict=True) if key is not None}


def test_our_stores_with_an_sql_registry_have_no_problems():
    assert problems_of_store(GOOD) == []
    assert checks_of(OURS) == ()


@pytest.mark.parametrize(
    ("table", "known"), [("OFFLINE_STORE_CLASS", OFFLINE), ("ONLINE_STORE_CLASS", ONLINE)], ids=["offline", "online"]
)
def test_every_store_of_feast_is_judged(table, known):
    assert set(feasts_own(table)) <= set(known)


@pytest.mark.parametrize("kind", [kind for kind, store in OFFLINE.items() if store.verdict == "refused"])
def test_a_refused_offline_store_is_named_with_the_reason_and_what_to_use(kind):
    [problem] = problems_of_store(GOOD | {"offline_store": {"type": kind}})

    assert problem == f"offline_store.type {kind!r}: {OFFLINE[kind].reason}; use {OURS}"
    with pytest.raises(BadInput, match=r"offline_store\.type"):
        checks_of(kind)


@pytest.mark.parametrize("kind", [kind for kind, store in OFFLINE.items() if store.verdict == "allowed with checks"])
def test_a_store_that_is_allowed_with_checks_has_some_and_no_problem_of_its_own(kind):
    settings = {"settings": {"join_use_nulls": 1}}

    assert problems_of_store(GOOD | {"offline_store": {"type": kind, "additional_client_args": settings}}) == []
    assert set(checks_of(kind)) <= set(CHECKS)
    assert checks_of(kind)


def test_feasts_defaults_are_the_stores_that_break_the_rule():
    wrong = problems_of_store({"project": "p", "provider": "local", "registry": GOOD["registry"]})

    assert [line.partition(":")[0] for line in wrong] == ["offline_store.type 'dask'", "online_store.type 'sqlite'"]


def test_a_store_may_be_named_by_a_word_or_left_out():
    assert problems_of_store(GOOD | {"offline_store": "duckdb", "online_store": None}) == []
    assert problems_of_store(GOOD | {"online_store": "null"}) == []
    assert "'ray'" in problems_of_store(GOOD | {"offline_store": "ray"})[0]


def test_feasts_classes_are_known_by_their_paths():
    for kind, path in feasts_own("OFFLINE_STORE_CLASS").items():
        refused = OFFLINE[kind].verdict == "refused"
        settings = {"settings": {"join_use_nulls": 1}}

        wrong = problems_of_store(GOOD | {"offline_store": {"type": path, "additional_client_args": settings}})

        assert [OFFLINE[kind].reason in line for line in wrong] == [True] * refused


def test_an_unknown_store_is_refused_with_those_that_are_held_to_the_rule():
    [problem] = problems_of_store(GOOD | {"offline_store": {"type": "acme.duckdb.DuckDBOfflineStore"}})

    assert "nobody has held it to the ttl rule" in problem
    assert OURS in problem
    assert "'postgres'" in problem
    [problem] = problems_of_store(GOOD | {"offline_store": {"type": "duckbd"}})
    assert problem.endswith("did you mean 'duckdb'?")


def test_an_online_store_of_feast_is_refused_for_ours():
    for kind, ours in (("sqlite", OUR_ONLINE[0]), ("redis", OUR_ONLINE[1]), ("scylladb", OUR_ONLINE[1])):
        [problem] = problems_of_store(GOOD | {"online_store": {"type": kind}})

        assert problem.startswith(f"online_store.type {kind!r}: Feast reads from it without judging age")
        assert problem.endswith(f"use {ours}")


@pytest.mark.parametrize("registry", ["data/registry.db", "s3://b/registry.db", {"path": "r.db"}, None])
def test_a_registry_file_is_refused_unless_one_process_alone_writes_it(registry):
    config = GOOD | ({"registry": registry} if registry else {})
    if registry is None:
        del config["registry"]

    assert problems_of_store(config)[0].startswith("registry: it is a file")
    assert problems_of_store(GOOD | {"registry": {"path": "r.db", "writers": 1}}) == []


def test_clickhouse_is_refused_until_it_joins_with_nulls():
    [problem] = problems_of_store(GOOD | {"offline_store": {"type": "clickhouse"}})

    assert "join_use_nulls: 1" in problem


def test_a_repository_without_a_configuration_of_feast_has_no_problems(tmp_path):
    assert problems_of_repository(tmp_path, [a_view()]) == []


def test_the_configuration_of_this_project_keeps_the_rule_offline():
    repository = Path(__file__).parents[5] / "feature_repo"

    config = yaml.safe_load((repository / "feature_store.yaml").read_text())

    assert config["offline_store"] == {"type": OURS}
    assert problems_of_store(config | {"online_store": None}) == []


def test_a_configuration_that_is_no_mapping_is_refused_with_its_path(tmp_path):
    (tmp_path / "feature_store.yaml").write_text("[1")
    with pytest.raises(BadInput, match=r"feature_store\.yaml: cannot be read as YAML"):
        problems_of_repository(tmp_path, [])
    (tmp_path / "feature_store.yaml").write_text("- 1")
    with pytest.raises(BadInput, match=r"feature_store\.yaml: holds list"):
        problems_of_repository(tmp_path, [])


def test_a_ttl_below_the_stores_second_is_refused_with_its_view(tmp_path):
    sound, broken = a_view(), a_view(name="pings", ttl_us=500_000)

    assert problems_of_repository(a_repository(tmp_path), [sound, broken]) == []
    [problem] = problems_of_repository(a_repository(tmp_path, offline_store={"type": "postgres"}), [sound, broken])
    assert problem.startswith("feature_store.yaml: feature view 'pings': its ttl is 0.5 s")
    assert "for ever" in problem


def test_a_store_that_cannot_cut_at_created_is_refused_for_a_view_that_needs_it(tmp_path):
    view = a_view(tags={"availability": "created"})

    assert problems_of_repository(a_repository(tmp_path, offline_store={"type": "postgres"}), [view]) == []
    [problem] = problems_of_repository(a_repository(tmp_path, offline_store={"type": "snowflake.offline"}), [view])
    assert "feature view 'temps': its availability is 'created'" in problem


def test_vectors_that_feast_keeps_ready_are_refused(tmp_path):
    [problem] = problems_of_repository(a_repository(tmp_path), [a_view()], precompute_online=True)

    assert problem.startswith("feature_store.yaml: precompute_online")


def test_keys_must_outlive_every_online_view(tmp_path):
    online = {"type": OUR_ONLINE[1], "key_ttl_seconds": 60}
    exact, shorter, offline = a_view(), a_view(name="short", ttl_us=59 * SECOND), a_view(name="offline", online=False)
    forever = a_view(name="forever", ttl_us=None)

    wrong = problems_of_repository(a_repository(tmp_path, online_store=online), [exact, shorter, offline, forever])

    assert wrong == [
        "feature_store.yaml: online_store.key_ttl_seconds 60: view 'temps' is valid 60 s; exceed it",
        "feature_store.yaml: online_store.key_ttl_seconds 60: view 'forever' is valid for ever; exceed it",
    ]


def found_by(check, rows, **names):
    query = query_of(check, table="given", **({"keys": ["a", "b"], "event": "t", "created": "c"} | names))
    with duckdb.connect() as db:
        db.execute("CREATE TABLE given (a VARCHAR, b VARCHAR, t INT, c INT)")
        db.executemany("INSERT INTO given VALUES (?, ?, ?, ?)", rows)
        return None if query is None else db.sql(query).fetchall()


def test_rows_that_are_tied_are_found_and_only_those():
    rows = [("x", "y", 1, 1), ("x", "y", 1, 2), ("x", "y", 2, 1), ("z", "y", 1, 1), ("z", "y", 1, 1)]

    assert found_by("unique_rows", rows) == [("z", "y", 1, 1, 2)]
    assert sorted(found_by("unique_rows", rows, created=None)) == [("x", "y", 1, 2), ("z", "y", 1, 2)]


def test_rows_without_created_are_found():
    assert found_by("created_not_null", [("x", "y", 1, 1), ("x", "y", 2, None)]) == [("x", "y", 2)]
    assert found_by("created_not_null", [("x", "y", 1, None)], created=None) is None


def test_keys_that_run_together_are_found():
    rows = [("1", "11", 5, 0), ("11", "1", 5, 0), ("1", "11", 6, 0), ("2", "2", 5, 0), ("2", "2", 5, 0)]

    assert found_by("keys_stay_apart", rows) == [("111", 5)]
    assert found_by("keys_stay_apart", rows, keys=["a"]) is None
