"""Was served what training sees? The log of the server is joined again on the events, as of each request."""

from kfp import dsl

from components.features import build_flight_events, compile_features
from components.ingestion import ingest_flights
from components.replay import observe_served, replay_served, show_skew
from components.validation import validate_flights

THRESHOLD = 0.001


@dsl.pipeline(name="flights-skew")
def flights_skew(as_of: str = "2014-01-03T00:00:00Z", profile: str = "year", served: str = "") -> None:
    """Compare each cell that was served by key with the one that training would see."""
    log = observe_served(served=served).outputs["log"]
    raw = ingest_flights(as_of=as_of, profile=profile).outputs["raw"]
    features = compile_features(service="flights_delay").outputs["features"]
    checked = validate_flights(raw=raw, as_of=as_of).outputs
    with dsl.If(checked["accepted"] == True):
        events = build_flight_events(clean=checked["clean"]).outputs["events"]
        replayed = replay_served(log=log, events=events, features=features, threshold=THRESHOLD)
        show_skew(skew=replayed.outputs["skew"])
