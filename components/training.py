"""Search and training."""

from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Dataset, Input, Model, Output

from components.images import STEPS


@dsl.component(base_image=STEPS, install_kfp_package=False)
def propose_candidates(scores: list, profile: str, seed: int) -> list:
    """Propose the next candidates from the scores of all rounds so far, a trial per fold."""
    from argosy.training.proposals import propose_trials
    from components.flights.profiles import PROFILES

    return propose_trials(scores=scores, plan=PROFILES[profile].training, seed=seed)


@dsl.component(base_image=STEPS, install_kfp_package=False)
def score_candidate(frame: Input[Dataset], profile: str, trial: dict, seed: int) -> dict:
    """Score a trial: one candidate's hyper-parameters on one time-ordered fold."""
    from pathlib import Path

    from argosy.training.search import score_candidate as score
    from components.flights.profiles import PROFILES

    plan = PROFILES[profile].training
    return score(frame=Path(frame.path), plan=plan, trial=trial, seed=seed)


@dsl.component(base_image=STEPS, install_kfp_package=False)
def gather_scores(earlier: list, latest: list) -> list:
    """Put the scores of the last round to those of the rounds before it."""
    from argosy.training.choice import ordered_scores

    return ordered_scores([*earlier, *latest])


@dsl.component(base_image=STEPS, install_kfp_package=False)
def choose_candidate(scores: list) -> NamedTuple("Choice", params=dict, search=dict):
    """Choose the candidate with the lowest mean log loss over its folds."""
    from argosy.training.choice import choose_candidate as choose

    choice = choose(scores=scores)
    rows = [row | {"chosen": row["candidate"] == choice["candidate"]} for row in choice["table"]]
    return choice["params"], {"candidates": rows}


@dsl.component(base_image=STEPS, install_kfp_package=False)
def train_model(frame: Input[Dataset], params: dict, profile: str, seed: int, model: Output[Model]) -> NamedTuple(
    "Trained", card=dict
):
    """Train on the profile's window, calibrate, and export to ONNX behind a parity check."""
    from pathlib import Path

    from argosy.training.fit import train
    from components.flights.profiles import PROFILES

    plan = PROFILES[profile].training
    return (train(frame=Path(frame.path), plan=plan, params=params, seed=seed, model=Path(model.path)),)
