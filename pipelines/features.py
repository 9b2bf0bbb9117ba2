"""Bring the features of a service into the online store, as of an instant.

Raw data to event rows are the steps of the training pipeline, so what one of the two has done, the other reuses.
"""

from kfp import dsl

from components.features import build_flight_events, compile_features
from components.ingestion import ingest_flights
from components.materialization import materialize_features, observe_online
from components.validation import validate_flights


@dsl.pipeline(name="features-materialize")
def features_materialize(
    as_of: str = "2014-01-03T00:00:00Z", profile: str = "year", at: str = "", since: str = ""
) -> None:
    """Make the online store complete as of `at`, or as of `as_of` without one; from `since` on, bring all again."""
    raw = ingest_flights(as_of=as_of, profile=profile).outputs["raw"]
    features = compile_features(service="flights_delay").outputs["features"]
    checked = validate_flights(raw=raw, as_of=as_of).outputs
    with dsl.If(checked["accepted"] == True):
        events = build_flight_events(clean=checked["clean"]).outputs["events"]
        store = observe_online(events=events, features=features, as_of=as_of, at=at, since=since).outputs
        with dsl.If(store["current"] == False):
            materialize_features(events=events, features=features, as_of=as_of, at=at, since=since, held=store["held"])
