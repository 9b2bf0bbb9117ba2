import asyncio
import json
import threading

import pytest

from argosy.serving.follow import Follower
from argosy.serving.hot_path import MAX_BYTES, HotPath
from argosy.serving.pages import build_pages
from argosy.serving.validation import MAX_ROWS
from tests.fakes.serving import EXAMPLE, FakeModel, a_served, ask


def an_app(served=None):
    follower = Follower(lambda: None)
    follower.served = served
    return HotPath(follower, lambda: build_pages(follower))


def predict(features, app=None, **request):
    return ask(app or an_app(a_served()), "POST", "/predict", json={"features": features}, **request)


def test_a_row_gets_its_probability_the_model_and_a_request_id():
    answer = predict(EXAMPLE)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body == {"probability": 0.25, "model": "sha256:one", "request_id": answer.headers["x-request-id"]}


def test_request_ids_count_up_and_a_given_one_is_echoed():
    app = an_app(a_served())
    first, second = (predict(EXAMPLE, app).json()["request_id"] for _ in range(2))
    assert first != second

    answer = predict(EXAMPLE, app, headers={"X-Request-ID": "trace-7"})

    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "trace-7"


@pytest.mark.parametrize("given", ["", "x" * 200, "naïve".encode("latin-1")])
def test_a_request_id_that_does_not_belong_in_a_header_is_replaced(given):
    answer = predict(EXAMPLE, headers={"X-Request-ID": given})

    assert answer.headers["x-request-id"] != given
    assert answer.json()["request_id"].endswith("-1")


def test_a_bad_field_is_answered_with_its_path_and_what_is_allowed():
    answer = predict({**EXAMPLE, "temp": "44.1"})

    assert answer.status_code == 422
    body = answer.json()
    finding = {
        "error": "features.temp: wrong value",
        "field": "features.temp",
        "got": "44.1",
        "allowed": "a finite number or null",
    }
    assert body == {**finding, "errors": [finding], "request_id": answer.headers["x-request-id"]}


def test_a_value_far_outside_is_answered_with_a_warning():
    body = predict({**EXAMPLE, "temp": 0.5, "class": "ZZ"}).json()

    assert body["probability"] == 0.5
    assert [warning["field"] for warning in body["warnings"]] == ["features.class"]


def test_broken_json_is_answered_with_400():
    answer = ask(an_app(a_served()), "POST", "/predict", content=b'{"features": ')

    assert answer.status_code == 400
    assert "not JSON" in answer.json()["error"]


def test_a_batch_is_answered_in_the_order_of_its_rows():
    rows = [{**EXAMPLE, "temp": temp} for temp in (0.75, None, 0.25)]
    answer = ask(an_app(a_served()), "POST", "/predict/batch", json={"rows": rows})

    assert answer.json()["probabilities"] == [0.75, 0.5, 0.25]
    assert answer.json()["model"] == "sha256:one"


def test_warnings_of_a_batch_name_their_rows():
    rows = [EXAMPLE, {**EXAMPLE, "temp": -5}]
    answer = ask(an_app(a_served()), "POST", "/predict/batch", json={"rows": rows})

    assert [warning["field"] for warning in answer.json()["warnings"]] == ["rows[1].temp"]


@pytest.mark.parametrize(("inline_bytes", "in_loop"), [(100_000, True), (10, False)])
def test_a_big_batch_leaves_the_event_loop(inline_bytes, in_loop):
    threads = []

    class Watched(FakeModel):
        def predict_rows(self, rows):
            threads.append(threading.current_thread())
            return super().predict_rows(rows)

    app = an_app(a_served(model=Watched(), inline_bytes=inline_bytes))
    assert ask(app, "POST", "/predict/batch", json={"rows": [EXAMPLE] * 5}).status_code == 200

    assert (threads == [threading.main_thread()]) is in_loop


def test_a_bad_row_of_a_big_batch_is_answered_from_its_thread():
    app = an_app(a_served(inline_bytes=10))
    answer = ask(app, "POST", "/predict/batch", json={"rows": [EXAMPLE, {}]})

    assert (answer.status_code, answer.json()["field"]) == (422, "rows[1].temp")


@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
def test_a_body_over_the_limit_is_refused_by_its_announced_length(path):
    answer = ask(an_app(a_served()), "POST", path, content=b"x" * (MAX_BYTES[path] + 1))

    assert answer.status_code == 413
    assert str(MAX_ROWS) in answer.json()["allowed"]


def test_a_body_over_the_limit_is_refused_while_it_streams_in():
    async def chunks():
        for _ in range(10):
            yield b"x" * 100_000

    answer = ask(an_app(a_served()), "POST", "/predict", content=chunks())

    assert answer.status_code == 413
    assert answer.json()["got"] < 1_000_000


def test_a_body_in_pieces_is_read_whole():
    async def chunks():
        text = json.dumps({"features": EXAMPLE}).encode()
        for start in range(0, len(text), 7):
            yield text[start : start + 7]

    assert ask(an_app(a_served()), "POST", "/predict", content=chunks()).json()["probability"] == 0.25


def test_an_unknown_path_and_a_wrong_method_are_answered_in_json():
    app = an_app(a_served())
    missing, wrong = ask(app, "GET", "/metrics2"), ask(app, "GET", "/predict")

    assert (missing.status_code, missing.json()["error"]) == (404, "no such path: /metrics2")
    assert (wrong.status_code, wrong.json()["allowed"], wrong.headers["allow"]) == (405, "POST", "POST")


def test_without_a_model_the_server_is_alive_and_not_ready():
    app = an_app()

    assert ask(app, "GET", "/health").status_code == 200
    for method, path in (("GET", "/ready"), ("POST", "/predict"), ("POST", "/predict/batch"), ("GET", "/model")):
        answer = ask(app, method, path)
        assert (path, answer.status_code) == (path, 503)
        assert "no model is loaded" in answer.json()["error"]


def test_with_a_model_the_server_is_ready_and_says_which():
    app = an_app(a_served())

    assert ask(app, "GET", "/ready").json() == {"status": "ready", "model": "sha256:one"}
    assert ask(app, "GET", "/health").json()["model_name"] == "flights-delay"
    assert ask(app, "HEAD", "/health").status_code == 200


def test_a_model_that_raises_is_answered_with_500_in_json(caplog):
    class Broken(FakeModel):
        def predict_rows(self, rows):  # noqa: ARG002
            raise RuntimeError("no session")

    answer = predict(EXAMPLE, an_app(a_served(model=Broken())))

    assert answer.status_code == 500
    assert answer.json()["request_id"] in caplog.text
    assert "no session" not in answer.text


def test_a_client_that_leaves_before_its_body_ends_gets_no_answer():
    messages = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])
    sent = []

    async def receive():
        return next(messages)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": []}
    asyncio.run(an_app(a_served())(scope, receive, send))

    assert sent == []
