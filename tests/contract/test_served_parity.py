"""What the server answers by key, from a real store, is what retrieval makes of the same rows."""

import random
from itertools import count

import numpy as np
import pytest

from argosy.features.carried import carry
from argosy.features.online.connect import open_online
from argosy.features.online.rows import OnlineRow
from tests.fakes.features import SECOND, T0, a_feature, a_request, a_row, a_view, retrieve_rows, rules_with
from tests.fakes.keyed import a_server, post
from tests.fakes.redis_server import redis_port  # noqa: F401 - a fixture

TTL = 60 * SECOND
OFFSETS = (-TTL - 1, -TTL, -TTL + 1, -3 * TTL, -SECOND, -1, 0)
RULES = rules_with(
    a_view(features=[a_feature(name="temp"), a_feature(name="kind", field="w", dtype="String", type="category")])
)
_numbers = count()


@pytest.fixture(params=["sqlite", "redis"])
def store_url(request, tmp_path):
    """Give the URL of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/online.db"
    return f"redis://127.0.0.1:{request.getfixturevalue('redis_port')}/1?project=served{next(_numbers)}"


def test_of_three_thousand_entities_no_cell_differs_at_the_instant_that_training_used(store_url, tmp_path):
    rng = random.Random(7)
    rows = [
        a_row(
            k=f"k{number}",
            known_at=T0 + rng.choice(OFFSETS),
            v=rng.choice([None, rng.gauss(0, 1e6)]),
            w=rng.choice("xyz"),
        )
        for number in range(2900)
    ]
    requests = [a_request(id=f"r{number:04}", k=f"k{number}") for number in range(3000)]
    made, _ = retrieve_rows(tmp_path, RULES, requests={"p": requests}, sources={"temps": rows})
    rules = carry(RULES)
    store = open_online(store_url)
    values = [{"v": None if row["v"] is None else float(np.float32(row["v"])), "w": row["w"]} for row in rows]
    store.write(
        rules.views[0].online,
        [OnlineRow((row["k"],), row["known_at"], None, each) for row, each in zip(rows, values, strict=True)],
    )

    body = {"entities": [{"k": each["k"]} for each in requests], "as_of": "2013-01-01T00:26:40Z", "explain": True}
    answer = post(a_server(store, rules=rules, replay=True), body, "/predict/batch").json()
    store.close()

    assert {each["at_us"] for each in answer["explain"]} == {T0}
    served = [each["views"]["temps"] for each in answer["explain"]]
    # One microsecond past its TTL a row is gone, though its age is the same number as a float32.
    assert {each["status"] for each in served if each["age_s"] == 60} == {"PRESENT", "OUTSIDE_MAX_AGE"}
    for row, each in zip(made["p"], served, strict=True):
        assert each["values"] == {name: row[name] for name in ("temp", "kind", "temps_age_s")}
        assert (each["status"], each["age_s"]) == (row["temps__status"], row["temps__age_s"])
