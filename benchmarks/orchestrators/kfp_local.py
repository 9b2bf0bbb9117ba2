"""The seven steps under kfp.local with its cache.

Run as `python kfp_local.py FOLDER` with the project on PYTHONPATH.
"""

from __future__ import annotations

import sys

from kfp import local
from pipelines.parcels import parcels

if __name__ == "__main__":
    folder = sys.argv[1]
    local.init(
        local.SubprocessRunner(use_venv=False),
        pipeline_root=f"{folder}/outputs",
        workspace_root=f"{folder}/workspace",
        enable_caching=True,
    )
    parcels()
