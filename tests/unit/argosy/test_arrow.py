from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
import numpy as np, pyarrow as pa
from argosy.arrow import without_pandas
with without_pandas():
    pa.array([1, None]), pa.chunked_array([pa.array(np.arange(3))]).to_numpy(), pa.scalar("x")
print("pandas" in sys.modules)
print(pa.table({"a": [1]}).to_pandas()["a"].sum())
with without_pandas():
    import pandas
print(pandas.__name__)
"""


@pytest.mark.slow
def test_arrow_works_without_pandas_and_finds_it_again_when_asked():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "1", "pandas"]
