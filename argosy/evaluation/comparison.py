"""Compare a candidate with the champion on the same rows: paired differences, resampled by day.

Two separate intervals would be useless here: the interval of one model's AUC is thirty times wider than
that of the difference of two, since a hard day is hard for both. So each resample draws days once and takes
the difference of both models on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq

from argosy.arrow import without_pandas
from argosy.errors import BadInput
from argosy.evaluation.bootstrap import MIN_BLOCKS, block_sums, draw_blocks, interval, statistics
from argosy.evaluation.frame import DAY, map_parts, read_rows, read_schema
from argosy.evaluation.metrics import HIGHER_IS_BETTER, rounded
from argosy.evaluation.predictions import prediction_parts, read_scores
from argosy.serving.runtime import has_model, load_model

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from argosy.evaluation.predictions import Scores
    from argosy.serving.runtime import Model

PASSED, FAILED = "passed", "failed"


@without_pandas()
def compare(
    *, predictions: Path, champion: Path, frame: Path, margin: float, n_resamples: int = 2000, seed: int = 0
) -> dict[str, Any]:
    """Say whether the candidate is not worse than the champion by more than a margin of log loss.

    Args:
        predictions: The candidate's, as `evaluate` wrote them; they define the rows.
        champion: The champion's model folder; an empty one means that there is no champion.
        frame: The frame that the candidate was scored on.
        margin: The candidate passes if the upper end of the 95 % interval of its log loss minus the
            champion's is below this.
        n_resamples: Resamples of days.
        seed: Seed of the draw.

    Returns:
        `verdict` (passed or failed), `ok`, `reasons`; `champion` (name and version, or null), `n_rows`,
        `n_blocks`, `margin`, `n_resamples`, `seed`; `differences` of log_loss, brier and auc, each with
        `candidate`, `champion`, `difference` (candidate - champion), its `interval`, and `share_better`,
        the share of resamples in which the candidate is the better one.

    Raises:
        BadInput: The frame does not hold the rows of the predictions, or the champion cannot read it.

    """
    settings: dict[str, Any] = {"margin": margin, "n_resamples": n_resamples, "seed": seed}
    if not has_model(champion):
        reason = "there is no champion to compare with; the floors decide"
        return {"champion": None, "differences": {}, **_verdict(reason, ok=True), **settings}
    model = load_model(champion)
    named = {key: model.signature.get(key) for key in ("name", "version")}
    absent = missing_features(model, frame)
    if absent:
        reason = (
            f"the champion reads {', '.join(absent)}, which the frame does not have, so it cannot be compared; "
            "keep these features in the frame until the champion has been replaced"
        )
        return {"champion": named, "differences": {}, **_verdict(reason, ok=False), **settings}
    scores = read_scores(predictions, block=read_schema(frame).get("block", DAY))
    theirs = score_same_rows(model, predictions, frame)
    return {"champion": named, **_compare_scores(scores, theirs, **settings), **settings}


def missing_features(model: Model, frame: Path) -> list[str]:
    """Return the features that a model reads and a frame does not have."""
    known = {feature["name"] for feature in read_schema(frame)["features"]}
    return [name for name in model.feature_names if name not in known]


def score_same_rows(model: Model, predictions: Path, frame: Path) -> NDArray[np.float32]:
    """Score the rows of a predictions folder with another model, in their order.

    Raises:
        BadInput: The frame does not hold the same rows in the same order.

    """

    def score_part(part: Path) -> NDArray[np.float32]:
        row, *_ = pq.read_schema(part).names
        keys = pq.ParquetFile(part).read(columns=[row, DAY])
        days = keys.column(DAY).to_numpy()
        rows = read_rows(frame / part.name, [row, *model.feature_names], days.min(), days.max())
        if not rows.column(row).equals(keys.column(row)):
            raise BadInput(
                f"{part}: its rows are not those of {frame / part.name} from {days.min()} to {days.max()}; "
                "evaluate the candidate on this frame"
            )
        return model.predict_table(rows)

    return np.concatenate(map_parts(score_part, prediction_parts(predictions)))


def paired_differences(
    candidate: Scores, champion: NDArray[Any], *, n_resamples: int, seed: int
) -> dict[str, dict[str, Any]]:
    """Resample days and take the differences candidate - champion of log loss, Brier score and AUC.

    Args:
        candidate: Labelled scores.
        champion: Probabilities of the same rows.
        n_resamples: Resamples.
        seed: Seed of the draw.

    """
    n_blocks, blocks = candidate.dense_blocks()
    counts = np.concatenate(
        [np.ones((1, n_blocks)), draw_blocks(n_blocks=n_blocks, n_resamples=n_resamples, seed=seed)]
    )
    ours, theirs = (statistics(counts, block_sums(candidate.y, p, blocks, n_blocks)) for p in (candidate.p, champion))
    return {name: _difference(name, ours[name], theirs[name]) for name in ours}


def judge(loss: Mapping[str, Any], *, margin: float) -> dict[str, Any]:
    """Return the verdict: not inferior if the interval of the log loss difference ends below the margin."""
    low, high = loss["interval"]
    text = f"log loss {loss['difference']:+.4f} against the champion, 95 % from {low:+.4f} to {high:+.4f}"
    if high < margin:
        return _verdict(f"{text}: within the margin of {margin:+.4f}", ok=True)
    return _verdict(f"{text}: the upper end must stay below the margin of {margin:+.4f}", ok=False)


def _compare_scores(
    candidate: Scores, champion: NDArray[Any], *, margin: float, n_resamples: int, seed: int
) -> dict[str, Any]:
    ours, theirs = candidate.labelled(), champion[candidate.is_labelled]
    n_blocks, _ = ours.dense_blocks()
    counted = {"n_rows": len(ours.p), "n_blocks": n_blocks}
    if n_blocks < MIN_BLOCKS:
        few = f"labels of {n_blocks} days are too few for an interval; {MIN_BLOCKS} are needed"
        return {**counted, "differences": {}, **_verdict(few, ok=False)}
    differences = paired_differences(ours, theirs, n_resamples=n_resamples, seed=seed)
    return {**counted, "differences": differences, **judge(differences["log_loss"], margin=margin)}


def _difference(name: str, ours: NDArray[Any], theirs: NDArray[Any]) -> dict[str, Any]:
    """Summarise resamples; the first one is the sample itself."""
    difference = ours - theirs
    better = difference[1:] > 0 if name in HIGHER_IS_BETTER else difference[1:] < 0
    return {
        "candidate": rounded(ours[0]),
        "champion": rounded(theirs[0]),
        "difference": rounded(difference[0]),
        "interval": [rounded(bound) for bound in interval(difference[1:])],
        "share_better": rounded(float(better.mean())),
    }


def _verdict(reason: str, *, ok: bool) -> dict[str, Any]:
    return {"verdict": PASSED if ok else FAILED, "ok": ok, "reasons": [reason]}
