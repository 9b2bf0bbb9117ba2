import threading
import time

import pytest

from argosy.serving.hot_path import HotPath
from tests.fakes.keyed import ENTITY, RULES, SECOND, a_server, a_store, post, with_policy
from tests.fakes.online_store import MemoryStore, SilentStore


class Records(list):
    """Keeps what is logged."""

    written = dropped = 0
    put = list.append


def test_an_entity_is_answered_from_the_rows_of_its_keys():
    answer = post(a_server(a_store()), {"entities": ENTITY})

    assert answer.status_code == 200
    assert answer.json() == {
        "probability": 0.25,
        "model": "sha256:one",
        "request_id": answer.headers["x-request-id"],
    }


def test_an_explained_answer_says_of_each_view_status_age_and_values():
    answer = post(a_server(a_store(age_s=2)), {"entities": ENTITY, "explain": True}).json()["explain"]

    assert answer["request"] == {"carrier": "AA", "distance": 100.5}
    weather = answer["views"].pop("weather")
    assert weather["values"] == {"temp": 0.25, "weather_age_s": weather["age_s"]}
    assert 2 <= weather["age_s"] < 30
    assert answer["views"] == {
        "planes": {
            "status": "PRESENT",
            "age_s": pytest.approx(time.time(), rel=1e-3),
            "values": {"seats": 140.0, "home": 1.0},
        },
        "numbers": {"status": "NOT_FOUND", "age_s": None, "values": {"late": None}},
    }


def test_all_views_are_read_in_one_round_trip_and_none_for_a_null_key():
    store = a_store()
    app = a_server(store)
    post(app, {"entities": ENTITY})
    post(app, {"entities": ENTITY | {"tailnum": None}})

    assert store.reads == [3, 2]


def test_an_expired_row_is_null_and_the_prediction_goes_on():
    answer = post(a_server(a_store(age_s=61)), {"entities": ENTITY, "explain": True}).json()

    assert answer["probability"] == 0.5
    assert answer["explain"]["views"]["weather"]["status"] == "OUTSIDE_MAX_AGE"
    assert answer["explain"]["views"]["weather"]["values"] == {"temp": None, "weather_age_s": None}


@pytest.mark.parametrize(
    ("age_s", "changes", "got"),
    [(61, {"on_expired": "fail"}, "OUTSIDE_MAX_AGE"), (-60, {"on_missing": "fail"}, "NOT_FOUND")],
)
def test_a_view_that_must_not_expire_or_be_missing_fails_the_request_by_its_name(age_s, changes, got):
    answer = post(a_server(a_store(age_s), rules=with_policy("weather", **changes)), {"entities": ENTITY})

    assert answer.status_code == 409
    body = answer.json()
    assert (body["view"], body["field"], body["got"]) == ("weather", "entities", got)
    assert body["error"].startswith("view 'weather' needs a row of origin 'JFK' at most 60 s old, ")
    assert body["error"].endswith(f"its rule is {next(iter(changes))}: fail")


def test_a_view_that_refers_gives_a_decision_and_no_probability():
    app = a_server(a_store(61), rules=with_policy("weather", on_expired="refer"))
    answer = post(app, {"entities": ENTITY})

    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"decision", "reasons", "model", "request_id"}
    assert body["decision"] == "refer"
    assert [reason["view"] for reason in body["reasons"]] == ["weather"]


def test_a_batch_is_read_at_once_judged_as_of_one_instant_and_answered_in_order():
    store = a_store()
    store.put("weather", ("LGA",), time.time_ns() // 1000 - SECOND, temp=0.75)
    entities = [ENTITY, ENTITY | {"origin": "LGA"}, ENTITY | {"origin": "EWR"}]
    answer = post(a_server(store), {"entities": entities, "explain": True}, "/predict/batch").json()

    assert answer["probabilities"] == [0.25, 0.75, 0.5]
    assert len({each["at_us"] for each in answer["explain"]}) == 1
    assert store.reads == [5]  # three rows of weather, one of planes, one of numbers


def test_a_batch_says_which_of_its_entities_are_referred():
    app = a_server(a_store(), rules=with_policy("weather", on_missing="refer"))
    answer = post(app, {"entities": [ENTITY | {"origin": "EWR"}, ENTITY]}, "/predict/batch").json()

    assert answer["probabilities"] == [None, 0.25]
    assert [(each["field"], each["view"]) for each in answer["referred"]] == [("entities[0]", "weather")]


def test_one_entity_that_fails_fails_its_batch_by_its_place():
    app = a_server(a_store(), rules=with_policy("weather", on_missing="fail"))
    answer = post(app, {"entities": [ENTITY, ENTITY | {"origin": "EWR"}]}, "/predict/batch")

    assert (answer.status_code, answer.json()["field"], answer.json()["view"]) == (409, "entities[1]", "weather")


def test_an_instant_is_answered_as_of_in_replay_mode_alone():
    store = MemoryStore()
    store.put("weather", ("JFK",), 1_370_000_000 * SECOND, temp=0.25)
    body = {"entities": ENTITY, "as_of": "2013-05-31T13:34:20.000000+02:00"}

    refused, seen = post(a_server(store), body), post(a_server(store, replay=True), body | {"explain": True}).json()

    assert (refused.status_code, refused.json()["field"]) == (422, "as_of")
    assert "serve --replay" in refused.json()["allowed"]
    assert seen["explain"]["views"]["weather"]["status"] == "PRESENT"
    assert seen["explain"]["at_us"] == 1_370_000_060 * SECOND
    later = post(a_server(store, replay=True), body | {"as_of": "2013-05-31T11:34:20.000001Z", "explain": True}).json()
    assert later["explain"]["views"]["weather"]["status"] == "OUTSIDE_MAX_AGE"


@pytest.mark.parametrize(
    "text", ["2013-05-31T11:34:20", "2013-05-31", "yesterday", "2013-05-31T11:34:20.0000001Z", "2013-13-31T11:34:20Z"]
)
def test_an_instant_without_a_zone_or_finer_than_a_microsecond_is_refused(text):
    answer = post(a_server(replay=True), {"entities": ENTITY, "as_of": text})

    assert (answer.status_code, answer.json()["field"]) == (422, "as_of")


@pytest.mark.parametrize(("path", "entities"), [("/predict", ENTITY), ("/predict/batch", [ENTITY])])
def test_a_store_that_does_not_answer_is_an_outage_and_features_go_on(path, entities):
    app = a_server(SilentStore())
    answer = post(app, {"entities": entities}, path)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "does not answer" in answer.json()["error"]
    features = dict.fromkeys(RULES.names, None) | {"temp": 0.75}
    assert post(app, {"features": features}).json()["probability"] == 0.75


def test_a_server_without_a_store_says_how_to_give_it_one():
    with_store = a_server()
    follower = with_store._follower
    answer = post(HotPath(follower, lambda: None), {"entities": ENTITY})

    assert answer.status_code == 501
    assert "--online" in answer.json()["error"]


@pytest.mark.parametrize(("url", "in_loop"), [("sqlite:///held", True), ("redis://far/0", False)])
def test_a_store_over_the_network_is_read_outside_the_event_loop(url, in_loop):
    threads = []

    class Watched(MemoryStore):
        def read(self, wanted):
            threads.append(threading.current_thread())
            return super().read(wanted)

    assert post(a_server(Watched(), url=url), {"entities": ENTITY}).status_code == 200

    assert (threads == [threading.main_thread()]) is in_loop


def test_what_is_served_is_logged_whole():
    records, store = Records(), a_store()
    answer = post(a_server(store, served_log=records), {"entities": ENTITY}).json()

    [record] = records
    at_us, event_us = record["at_us"], store.held["weather", ("JFK",)].event_us
    assert record == {
        "request_id": answer["request_id"],
        "at_us": at_us,
        "model": "sha256:one",
        "entity": ENTITY,
        "views": {"weather": (event_us, "PRESENT"), "planes": (0, "PRESENT"), "numbers": (None, "NOT_FOUND")},
        "features": {
            "carrier": "AA",
            "distance": 100.5,
            "temp": 0.25,
            "weather_age_s": pytest.approx((at_us - event_us) / 1e6),
            "seats": 140.0,
            "home": 1.0,
            "late": None,
        },
        "decision": "predict",
        "probability": 0.25,
    }


def test_what_is_referred_or_fails_is_logged_too_and_a_batch_row_by_row():
    records = Records()
    for rule in ("refer", "fail"):
        rules = with_policy("weather", on_missing=rule)
        body = {"entities": [ENTITY, ENTITY | {"origin": "EWR"}]}
        post(a_server(a_store(), rules=rules, served_log=records), body, "/predict/batch")

    assert [record["decision"] for record in records] == ["predict", "refer", "predict", "fail"]
    assert [record["request_id"].rpartition("/")[2] for record in records] == ["0", "1", "0", "1"]


def test_requests_of_features_are_not_logged():
    records = Records()
    post(a_server(a_store(), served_log=records), {"features": dict.fromkeys(RULES.names, None)})

    assert records == []


def test_a_value_unlike_training_is_warned_of_by_its_feature():
    store = a_store()
    store.put("weather", ("JFK",), time.time_ns() // 1000, temp=1e12)

    assert [each["field"] for each in post(a_server(store), {"entities": ENTITY}).json()["warnings"]] == [
        "features.temp"
    ]
