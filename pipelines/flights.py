"""Will a flight arrive 15 or more minutes late, asked at its scheduled departure?

`search` and `judge_and_release` are groups of tasks; `flights_training`, below them, is the pipeline.
"""

from kfp import dsl

from components.evaluation import (
    check_gates,
    check_latency,
    compare_models,
    evaluate_model,
    measure_model,
    show_results,
    test_model,
)
from components.features import build_flight_events, check_coverage, compile_features, retrieve_features
from components.ingestion import ingest_flights
from components.release import deploy_model, observe_champion, promote_model, register_model
from components.training import choose_candidate, gather_scores, propose_candidates, score_candidate, train_model
from components.validation import check_features, validate_flights

ROUNDS = 2
SEED = 2013
MODEL = "flights-delay"
CHAMPION = f"{MODEL}/champion"


def search(frame, profile):
    """Propose candidates in rounds, score each on each fold as a step of its own, and choose."""
    scores = []
    for _ in range(ROUNDS):
        trials = propose_candidates(scores=scores, profile=profile, seed=SEED).output
        with dsl.ParallelFor(trials) as trial:
            scored = score_candidate(frame=frame, profile=profile, trial=trial, seed=SEED).output
        scores = gather_scores(earlier=scores, latest=dsl.Collected(scored)).output
    return choose_candidate(scores=scores).outputs["params"]


def judge_and_release(model, frame, profile) -> None:
    """Register the model if its gates hold, and release it if it is fast enough too."""
    champion = observe_champion(candidate=model, ref=CHAMPION).outputs["champion"]
    judged = evaluate_model(model=model, frame=frame, profile=profile).outputs
    compared = compare_models(predictions=judged["predictions"], champion=champion, frame=frame, profile=profile)
    tested = test_model(model=model, frame=frame, profile=profile)
    gates = check_gates(
        metrics=judged["metrics"],
        comparison=compared.outputs["comparison"],
        tests=tested.outputs["tests"],
        profile=profile,
    )
    show_results(
        metrics=judged["metrics"],
        comparison=compared.outputs["comparison"],
        tests=tested.outputs["tests"],
        verdict=gates.outputs["verdict"],
    )
    measured = measure_model(model=model, frame=frame)
    speed = check_latency(latency=measured.outputs["latency"], profile=profile)
    with dsl.If(gates.outputs["passed"] == True):
        registered = register_model(model=model, frame=frame, name=MODEL, metrics=judged["metrics"])
        with dsl.If(speed.outputs["passed"] == True):
            promoted = promote_model(
                model=model, champion=champion, ref=CHAMPION, version=registered.outputs["version"]
            )
            deploy_model(model=model, promotion=promoted.outputs["verdict"])


@dsl.pipeline(name="flights-training")
def flights_training(as_of: str = "2014-01-03T00:00:00Z", profile: str = "year") -> None:
    """Train, judge, register, promote and deploy the model of flight delays."""
    raw = ingest_flights(as_of=as_of, profile=profile).outputs["raw"]
    features = compile_features(service="flights_delay").outputs["features"]
    checked = validate_flights(raw=raw, as_of=as_of).outputs
    with dsl.If(checked["accepted"] == True):
        events = build_flight_events(clean=checked["clean"]).outputs["events"]
        covered = check_coverage(events=events, features=features, profile=profile).outputs
        frame = retrieve_features(events=events, features=features).outputs["frame"]
        honest = check_features(frame=frame, profile=profile).outputs
        with dsl.If(covered["accepted"] == True), dsl.If(honest["accepted"] == True):
            params = search(frame, profile)
            model = train_model(frame=frame, params=params, profile=profile, seed=SEED).outputs["model"]
            judge_and_release(model, frame, profile)
