"""Run a compiled spec under kfp.local, and note what the call of the pipeline alone took.

Run as `python kfp_local.py SPEC`, which leaves the seconds in `call`; with `--start` everything is done but the call.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from kfp import components, local

if __name__ == "__main__":
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root="outputs", workspace_root="workspace")
    pipeline = components.load_component_from_file(sys.argv[1])
    if "--start" not in sys.argv:
        began = time.perf_counter()
        pipeline()
        Path("call").write_text(str(time.perf_counter() - began), encoding="utf-8")
