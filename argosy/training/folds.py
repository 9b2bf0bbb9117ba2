"""Cut a training window into time-ordered folds: train on what came before, score what came next."""

from __future__ import annotations

from datetime import date, timedelta

from argosy.training.plan import Window


def time_fold(window: Window, *, fold: int, n_folds: int) -> tuple[Window, Window]:
    """Return the training and the scoring window of a fold.

    The window is cut into `n_folds + 1` blocks of equal length; fold `i` trains on the first `i + 1` of
    them and scores the next one. Labels come late, so the reader must also leave out training rows whose
    label was not known when the scoring window began.

    Example:
        >>> time_fold(Window("2013-01-01", "2013-01-10"), fold=1, n_folds=2)
        (Window(start='2013-01-01', end='2013-01-07'), Window(start='2013-01-07', end='2013-01-10'))

    """
    if not 0 <= fold < n_folds:
        raise ValueError(f"fold {fold}: allowed are 0 to {n_folds - 1}")
    start, end = date.fromisoformat(window.start), date.fromisoformat(window.end)
    days = (end - start).days
    if days < n_folds + 1:
        raise ValueError(f"{days} days cannot be cut into {n_folds} folds; needed are {n_folds + 1}")
    borders = [start + timedelta(days=days * block // (n_folds + 1)) for block in range(n_folds + 2)]
    cut = borders[fold + 1].isoformat()
    return Window(window.start, cut), Window(cut, borders[fold + 2].isoformat())
