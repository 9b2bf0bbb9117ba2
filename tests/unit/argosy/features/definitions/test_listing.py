import pytest

from argosy.errors import Mistake
from argosy.features.definitions.listing import check_definitions, list_views
from tests.fakes.features import a_feature, a_view, described

SHORT = {"max_lateness": "20s", "materialize_every": "20s", "run_budget": "15s"}


def definitions(unread=(), **services):
    """Return described definitions: the views of each service, by its name."""
    names = sorted(services)
    described_services = {
        name: {
            "services": names, "id": "id", "request": [], "on_demand": [], "views": [described(view) for view in views],
        }
        for name, views in services.items()
    }  # fmt: skip
    return {"services": described_services, "unread": [described(view) for view in unread]}


def a_run(name, **sections):
    """Return a run's document that measured the view `temps`."""
    return {"run": name, "sections": {section: {"views": {"temps": found}} for section, found in sections.items()}}


def test_a_view_is_listed_with_its_policy():
    [view] = list_views(definitions(test=[a_view(owner="weather desk")]), [], [])

    assert (view["view"], view["service"], view["owner"], view["keys"]) == ("temps", "test", "weather desk", ["k"])
    assert (view["ttl_s"], view["lag_s"], view["headroom"]) == (60.0, 3.0, 0.95)
    assert (view["availability"], view["measured"], view["models"]) == ("known_at", None, [])


@pytest.mark.parametrize(("tag", "words"), [("15s", "known_at + 15s"), ("created", "created (created)")])
def test_it_says_from_when_on_its_rows_count(tag, words):
    found = definitions(test=[a_view(created="created")])
    found["services"]["test"]["views"][0]["tags"]["availability"] = tag

    assert list_views(found, [], [])[0]["availability"] == words


def test_a_view_that_never_expires_or_is_not_served_has_no_headroom():
    views = list_views(
        definitions(test=[a_view(online=False), a_view(name="b", features=[a_feature(field="b")])]), [], []
    )

    assert [(view["lag_s"], view["headroom"]) for view in views] == [(3.0, 0.95), (None, None)]


def test_what_the_newest_run_measured_counts():
    ages, coverage = {"coverage": 0.9, "age_s": {"p50": 1.0}}, {"coverage": 0.8, "with_lag": 0.7, "newest": "2013"}
    runs = [{"run": "3"}, a_run("2", ages=ages, coverage=coverage), a_run("1", ages={"coverage": 0.1})]

    [view] = list_views(definitions(test=[a_view()]), runs, [])

    assert view["measured"] == {
        "run": "2", "coverage": 0.8, "with_lag": 0.7, "age_s": {"p50": 1.0}, "newest": "2013",
    }  # fmt: skip


def test_a_run_before_coverage_was_checked_still_says_how_training_was_covered():
    [view] = list_views(definitions(test=[a_view()]), [a_run("1", ages={"coverage": 0.9})], [])

    assert (view["measured"]["coverage"], view["measured"]["with_lag"]) == (0.9, None)


def test_the_models_that_ask_for_a_feature_of_a_view_read_it():
    models = [
        {"names": ["a/champion", "a version 1"], "features": ["v"]},
        {"names": ["b version 1"], "features": ["other"]},
        {"names": ["c version 1"], "features": ["temps_age_s"]},
    ]

    [view] = list_views(definitions(test=[a_view()]), [], models)

    assert view["models"] == ["a/champion", "a version 1", "c version 1"]


def test_problems_of_all_services_and_of_what_none_reads_come_at_once():
    found = definitions(
        unread=[a_view(name="alone", ttl_us=None)], good=[a_view()], one=[a_view(ttl_us=None)], two=[a_view(ttl_us=1)]
    )

    problems, warnings = check_definitions(found)

    assert [problem.split(": its")[0] for problem in problems] == [
        "feature view 'alone'",
        "feature service 'one': feature view 'temps'",
        "feature service 'two': feature view 'temps'",
    ]
    assert problems[0].endswith(", and no service reads it")
    assert warnings == []
    with pytest.raises(Mistake):
        list_views(found, [], [])


def test_what_is_short_is_no_problem():
    found = definitions(test=[a_view()])
    found["services"]["test"]["views"][0]["tags"] |= SHORT

    problems, [warning] = check_definitions(found)

    assert problems == []
    assert warning.startswith("feature service 'test': feature view 'temps': its serving lag of 55s")
