"""A server that looks features up: weather by origin for 60 s, planes by tail number for ever, and a request's own."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from argosy.features.carried import CarriedRules, carry
from argosy.features.rules import RequestFeature
from argosy.serving.follow import Follower, Served
from argosy.serving.hot_path import METHODS, HotPath
from argosy.serving.keyed import Keyed
from argosy.serving.metrics import Metrics
from argosy.serving.online import OnlineReader
from argosy.serving.pages import build_pages
from argosy.serving.validation import RequestModel
from tests.fakes.features import a_feature, a_view, rules_with
from tests.fakes.online_store import MemoryStore
from tests.fakes.serving import FakeModel, a_served, ask

if TYPE_CHECKING:
    import httpx

    from argosy.serving.served_log import ServedLog

SECOND = 1_000_000
RULES = carry(
    rules_with(
        a_view(
            name="weather", keys=["origin"], age_feature="weather_age_s",
            features=[a_feature(name="temp", field="temp")],
        ),
        a_view(
            name="planes", keys=["tailnum"], ttl_us=None, age_feature=None,
            features=[
                a_feature(name="seats", field="seats"),
                a_feature(name="home", field="base", dtype="String", equals="origin"),
            ],
        ),
        a_view(
            name="numbers", keys=["carrier", "flight"], ttl_us=None, age_feature=None,
            features=[a_feature(name="late", field="late")],
        ),
        request=[
            RequestFeature("carrier", "category", "schedule", "airline code"),
            RequestFeature("distance", "number", "schedule", "miles"),
        ],
    )
)  # fmt: skip
RULES = replace(RULES, views=[replace(v, key_types=["String", "Int64"][: len(v.keys)]) for v in RULES.views])


def signature_of(rules: CarriedRules) -> dict[str, Any]:
    """Return the signature of a model whose features these rules yield."""
    features = [
        {"name": name, "type": "number" if name in rules.numbers else "category", "group": "g", "nullable": True}
        | ({"min": -1e9, "max": 1e9} if name in rules.numbers else {"categories": ["AA"]})
        for name in rules.names
    ]
    example = {name: {"carrier": "AA", "temp": 0.25}.get(name) for name in rules.names}
    output = {"name": "probability", "description": "arrives late"}
    return {"name": "flights-delay", "version": 1, "output": output, "features": features, "example": example}


SIGNATURE = signature_of(RULES)
ENTITY: dict[str, Any] = {"carrier": "AA", "distance": 100.5, "origin": "JFK", "tailnum": "N1", "flight": 11}


def a_keyed(rules: CarriedRules = RULES) -> Served:
    """Build a served model that carries rules."""
    signature = signature_of(rules)
    served = a_served(model=FakeModel(signature))
    return replace(served, requests=RequestModel(signature, rules), rules=rules)


def with_policy(view: str, **changes: Any) -> CarriedRules:
    """Return the rules with another policy of one view."""
    return replace(RULES, views=[replace(each, **changes) if each.name == view else each for each in RULES.views])


def a_server(
    store: Any = None,
    *,
    rules: CarriedRules = RULES,
    url: str = "sqlite:///held",
    served_log: ServedLog | None = None,
    replay: bool = False,
) -> HotPath:
    """Build the server over a store; the lifespan of the application is not begun."""
    follower = Follower(lambda: None)
    follower.served = a_keyed(rules)
    metrics = Metrics(tuple(METHODS), served_log)
    reader = OnlineReader(url, lambda _: MemoryStore() if store is None else store)
    keyed = Keyed(reader, metrics, served_log=served_log, replay=replay)
    return HotPath(follower, lambda: build_pages(follower), keyed=keyed, metrics=metrics)


def a_store(age_s: float = 1.0) -> MemoryStore:
    """Build a store with a row of weather of this age at JFK, and the plane N1."""
    now = time.time_ns() // 1000
    store = MemoryStore()
    store.put("weather", ("JFK",), now - int(age_s * SECOND), temp=0.25)
    store.put("planes", ("N1",), 0, seats=140.0, base="JFK")
    return store


def post(app: HotPath, body: dict[str, Any], path: str = "/predict") -> httpx.Response:
    """Ask for a prediction."""
    return ask(app, "POST", path, json=body)
