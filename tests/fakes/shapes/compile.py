"""Compile every shape to a PipelineSpec.

Run as `python -m tests.fakes.shapes.compile FOLDER`: the one process that pays for kfp's compiler.
"""

import importlib
import sys
from pathlib import Path

from kfp import compiler
from kfp.dsl.graph_component import GraphComponent

THEMES = ("sequences", "branches", "loops", "accidents", "values")


def main(folder: Path) -> None:
    """Write FOLDER/THEME.PIPELINE.yaml for each pipeline of each theme."""
    for theme in THEMES:
        module = importlib.import_module(f"tests.fakes.shapes.{theme}")
        for name, found in vars(module).items():
            if isinstance(found, GraphComponent):
                compiler.Compiler().compile(found, str(folder / f"{theme}.{name}.yaml"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
