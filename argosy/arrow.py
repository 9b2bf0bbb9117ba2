"""Keep pandas out of steps that only use Arrow tables."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def without_pandas() -> Iterator[None]:
    """Keep pyarrow from importing pandas, a quarter of a second per process and more on a busy machine.

    Arrow looks for pandas at its first conversion of a Python value or to NumPy, for types that no table here has.
    A process that already has pandas keeps it; inside the context nothing else may import it. Afterwards Arrow takes
    a pandas Series for a plain sequence, NaN for a number, until it is first asked for a data frame: use it on steps.
    """
    if "pandas" in sys.modules:
        yield
        return
    cast("dict[str, Any]", sys.modules)["pandas"] = None
    try:
        # Arrow remembers that its first look failed, and looks again when a table is to become a data frame.
        with contextlib.suppress(AttributeError, ImportError):
            pa.array([0])
        yield
    finally:
        del sys.modules["pandas"]
