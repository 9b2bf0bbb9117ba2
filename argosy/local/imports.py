"""What fork servers import: known to the runner, which starts them, and to their own program."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Imports = tuple[str, ...]

GROW = b"grow"
"""Asks a server to fork another one, which then imports more; any other message is a step's request file."""

# XGBoost imports scikit-learn, and with it pandas, if it can, for wrappers: 4 s instead of 1 for steps that do not.
OPTIONAL = {"xgboost": ("sklearn",)}
# What pandas imports with the first Parquet file: 0.05 s that every step with a table would pay again.
COMPANIONS = {"pandas": ("pandas.io.parquet", "pyarrow.dataset", "pyarrow.parquet")}


def shared_imports(wanted: Iterable[Imports]) -> list[Imports]:
    """Return the import sets that are worth a server of their own: those that at least two steps have, and none.

    What only one step imports it imports itself, in its own process; a server for it would gain nothing.
    """
    counted = Counter(wanted)
    return [(), *(modules for modules, steps in counted.items() if steps > 1 and modules)]


def best_base(modules: Imports, running: Iterable[Imports]) -> Imports:
    """Return the import set that a server grows from: the largest of those running that leaves its imports the same."""
    return max((each for each in running if _may_grow(each, modules)), key=len)


def _may_grow(base: Imports, modules: Imports) -> bool:
    # A module that was imported without its option would keep lacking it.
    lacking = {option for module in base for option in OPTIONAL.get(module, ()) if option not in base}
    return set(base) <= set(modules) and not lacking & set(modules)
