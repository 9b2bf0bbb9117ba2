"""Check data before anything is computed from it."""

from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Dataset, Input, Output

from components.images import STEPS


@dsl.component(base_image=STEPS, install_kfp_package=False)
def validate_flights(
    raw: Input[Dataset], as_of: str, clean: Output[Dataset], quarantine: Output[Dataset]
) -> NamedTuple("Checked", accepted=bool, findings=list, verdict=dict):
    """Write the clean tables and set bad rows aside with their reasons; a rejected batch leaves none."""
    from pathlib import Path

    from components.flights.clean import validate

    found = validate(raw=Path(raw.path), as_of=as_of, clean=Path(clean.path), quarantine=Path(quarantine.path))
    return found["ok"], found["findings"], {name: found[name] for name in ("verdict", "ok", "reasons")}


@dsl.component(base_image=STEPS, install_kfp_package=False)
def check_features(frame: Input[Dataset], profile: str) -> NamedTuple(
    "Judged", accepted=bool, findings=list, verdict=dict
):
    """Refuse features that know the outcome, before anything is trained on them."""
    from pathlib import Path

    from argosy.validation.features import check_features as check
    from components.flights.profiles import PROFILES

    plan = PROFILES[profile].training
    found = check(frame=Path(frame.path), start=plan.train.start, end=plan.calibrate.end)
    return found["ok"], found["findings"], {name: found[name] for name in ("verdict", "ok", "reasons")}
