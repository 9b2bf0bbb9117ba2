"""Will a flight arrive 15 or more minutes late, asked at its scheduled departure?"""

from kfp import dsl

from components.evaluation import check_gates, check_latency, compare_models, evaluate_model, measure_model, test_model
from components.features import build_flight_events, compile_features, retrieve_features
from components.ingestion import ingest_flights
from components.release import deploy_model, observe_champion, promote_model, register_model
from components.training import choose_candidate, score_candidate, train_model
from components.validation import validate_flights

CANDIDATES, FOLDS = 4, 2
SEED = 2013
MODEL = "flights-delay"
CHAMPION = f"{MODEL}/champion"


@dsl.pipeline(name="flights-training")
def flights_training(as_of: str = "2014-01-03T00:00:00Z", profile: str = "year") -> None:
    """Train, judge, register, promote and deploy the model of flight delays."""
    raw = ingest_flights(as_of=as_of, profile=profile).outputs["raw"]
    features = compile_features(service="flights_delay").outputs["features"]
    checked = validate_flights(raw=raw, as_of=as_of)
    with dsl.If(checked.outputs["accepted"] == True):
        events = build_flight_events(clean=checked.outputs["clean"]).outputs["events"]
        frame = retrieve_features(events=events, features=features).outputs["frame"]
        scores = [
            score_candidate(frame=frame, profile=profile, candidate=candidate, fold=fold, seed=SEED).output
            for candidate in range(CANDIDATES)
            for fold in range(FOLDS)
        ]
        params = choose_candidate(scores=scores).outputs["params"]
        model = train_model(frame=frame, params=params, profile=profile, seed=SEED).outputs["model"]
        champion = observe_champion(candidate=model, ref=CHAMPION).outputs["champion"]
        judged = evaluate_model(model=model, frame=frame, profile=profile).outputs
        compared = compare_models(
            predictions=judged["predictions"], champion=champion, frame=frame, profile=profile
        ).outputs["comparison"]
        tests = test_model(model=model, frame=frame, profile=profile).outputs["tests"]
        gates = check_gates(metrics=judged["metrics"], comparison=compared, tests=tests, profile=profile)
        latency = measure_model(model=model, frame=frame).outputs["latency"]
        speed = check_latency(latency=latency, profile=profile)
        with dsl.If(gates.outputs["passed"] == True):
            version = register_model(model=model, frame=frame, name=MODEL, metrics=judged["metrics"]).outputs["version"]
            with dsl.If(speed.outputs["passed"] == True):
                promotion = promote_model(model=model, champion=champion, ref=CHAMPION, version=version)
                deploy_model(model=model, promotion=promotion.outputs["verdict"])
