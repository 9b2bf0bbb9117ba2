import html
import json
from dataclasses import replace

from argosy.serving.follow import Follower
from argosy.serving.hot_path import HotPath
from argosy.serving.pages import build_pages
from tests.fakes.keyed import a_server
from tests.fakes.serving import SIGNATURE, a_served, a_target, ask


def pages_over(served):
    follower = Follower(lambda: None)
    follower.served = served
    return HotPath(follower, lambda: build_pages(follower))


def test_the_docs_show_the_model_and_an_example_even_without_a_network():
    page = ask(pages_over(a_served()), "GET", "/docs")

    assert page.headers["content-type"].startswith("text/html")
    assert "openapi.json" in page.text
    assert "sha256:one" in page.text
    assert "curl -s http://SERVER/predict" in page.text


def test_the_docs_escape_what_a_signature_says():
    served = a_served(replace(a_target(), name="<script>"))

    assert "<h2>&lt;script&gt;</h2>" in ask(pages_over(served), "GET", "/docs").text


def test_the_docs_answer_before_there_is_a_model():
    assert "No model is loaded yet" in ask(pages_over(None), "GET", "/docs").text
    assert ask(pages_over(None), "GET", "/openapi.json").json()["info"]["title"] == "Predictions: no model loaded"


def test_openapi_follows_the_served_model():
    document = ask(pages_over(a_served()), "GET", "/openapi.json").json()

    assert document["info"]["title"] == "Predictions: flights-delay"


def test_the_model_page_shows_signature_and_card(tmp_path):
    (tmp_path / "card.json").write_text(json.dumps({"params": {"trees": 12}}))
    served = a_served(replace(a_target(), folder=tmp_path))

    assert ask(pages_over(served), "GET", "/model").json() == {
        "model": "sha256:one",
        "signature": SIGNATURE,
        "card": {"params": {"trees": 12}},
    }
    assert ask(pages_over(a_served()), "GET", "/model").json()["card"] is None


def test_a_model_that_looks_features_up_shows_how_to_ask_by_key():
    app = a_server()

    described = ask(app, "GET", "/model").json()["entities"]
    assert described["service"] == "test"
    assert described["example"] == {"carrier": "AA", "distance": None, "origin": None, "tailnum": None, "flight": None}
    assert described["views"][0] == {
        "name": "weather",
        "keys": ["origin"],
        "ttl_s": 60.0,
        "on_expired": "null",
        "on_missing": "null",
        "features": ["temp", "weather_age_s"],
    }
    page = html.unescape(ask(app, "GET", "/docs").text)
    assert '{"entities": ' in page
    assert '{"features": ' in page
