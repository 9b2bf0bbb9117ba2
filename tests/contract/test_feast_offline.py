"""The TTL rule, case by case, on every offline store that is allowed and runs here: ours, and Feast's on Postgres."""

import pytest
import yaml

from argosy.features.definitions.stores import problems_of_repository, query_of
from tests.fakes.offline_cases import (
    CASES,
    GOLDEN,
    STORES,
    answers_of,
    ask,
    document,
    in_order,
    name_of,
    query_postgres,
    store_of,
    text_of,
)

# Where a store answers otherwise than the rule, and the check that keeps such definitions and data away from it.
DIFFERENT = {
    "argosy": {},
    "postgres": {
        "same event, no created column, different": "unique_rows",
        "same event, no created column, equal": "unique_rows",
        "tie on event and created, different": "unique_rows",
        "tie on event and created, equal": "unique_rows",
        "created is null": "created_not_null",
        "ttl = 500 ms, age 1 s": "whole_second_ttl",
        "two keys whose texts run together": "keys_stay_apart",
    },
}


def expected():
    return {case.name: case.expected for case in CASES}


@pytest.mark.slow
def test_our_store_answers_every_case_as_the_rule_says(tmp_path):
    assert answers_of("argosy", tmp_path) == expected()


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Every store with every case, once."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield {name: stack.enter_context(store_of(name, tmp_path_factory.mktemp(name))) for name in STORES}


def answers(stores, name):
    return {case.name: in_order(name, ask(stores[name][0], case)) for case in CASES}


@pytest.mark.slow
@pytest.mark.parametrize("name", STORES)
def test_a_store_differs_from_the_rule_where_it_is_known_to(stores, name):
    found = answers(stores, name)

    assert {case for case, answer in found.items() if answer != expected()[case]} == set(DIFFERENT[name])


@pytest.mark.slow
def test_the_table_of_the_stores_is_the_golden_one(stores):
    text = text_of(document({name: answers(stores, name) for name in STORES}))

    assert text == GOLDEN.read_text(), "python -m tests.fakes.offline_cases writes it anew"


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_checks_of_a_store_find_the_cases_in_which_it_differs_and_no_others(stores, case, tmp_path):
    _, settings = stores["postgres"]
    found = set()

    for number, view in enumerate(case.views):
        (tmp_path / "feature_store.yaml").write_text(
            yaml.safe_dump({"offline_store": {"type": "postgres"}, "online_store": None, "registry": {"writers": 1}})
        )
        described = {"name": "v", "ttl_us": view.ttl.total_seconds() * 1e6, "online": False, "tags": {}}
        found |= {"whole_second_ttl"} if problems_of_repository(tmp_path, [described]) else set()
        created = "created" if view.created else None
        for check in ("unique_rows", "created_not_null", "keys_stay_apart"):
            table = name_of(case, number) if check != "keys_stay_apart" else _requests(case)
            query = query_of(check, table=table, keys=view.keys, event="event_timestamp", created=created)
            found |= {check} if query and query_postgres(settings, query) else set()

    named = DIFFERENT["postgres"].get(case.name)
    # A ttl below a second is refused whether or not a request would show it.
    assert found - ({"whole_second_ttl"} if named is None else set()) == ({named} if named else set())


def _requests(case):
    """Write a case's requests as a table of SQL."""
    rows = ", ".join(f"({_text(k)}, {_text(k2)}, timestamptz '{at.isoformat()}')" for k, k2, at in case.requests)
    return f"(VALUES {rows}) AS requests (k, k2, event_timestamp)"


def _text(key):
    return "CAST(NULL AS text)" if key is None else f"'{key}'"
