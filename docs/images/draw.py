"""Draw the pictures of the README from a run that was made: `python docs/images/draw.py [RUN [SECOND]]`.

`run.svg` is what a terminal showed SECOND seconds into the run; `report.png` and `report-dark.png` are its report.
They need Chromium and pngquant.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from argosy.launcher.step import Outcome
from argosy.local.live import LiveTree
from argosy.local.records import read_run
from argosy.report.render import render_report
from argosy.session import load_pipeline, open_session

HERE = Path(__file__).parent
SIZE = "1280,1200"
PAPER, WORDS, RED, GREEN = (15, 22, 30), (232, 238, 244), (255, 138, 128), (98, 199, 154)
YELLOW, BLUE, VIOLET, CYAN = (229, 192, 94), (95, 150, 214), (183, 155, 238), (95, 185, 214)
INK = TerminalTheme(PAPER, WORDS, [PAPER, RED, GREEN, YELLOW, BLUE, VIOLET, CYAN, WORDS])


def draw_run(run: dict, second: float) -> None:
    """Draw the live tree as it stood at a moment of the run."""
    tree = LiveTree(load_pipeline(run["pipeline"], open_session()))
    for step in run["steps"]:
        if step["status"] in {"observed", "skipped"} or not step["seconds"] or step["started_s"] > second:
            continue
        name = step["name"]
        task = name.partition("[")[0]
        tree._started[task][name] = time.monotonic() - (second - step["started_s"])
        if step["started_s"] + step["seconds"] <= second:
            tree._ended[task][name] = Outcome(step["status"], seconds=step["seconds"])
    console = Console(record=True, width=64, file=io.StringIO(), force_terminal=True)
    console.print("[dim]$[/dim] make run")
    console.print(tree._render())
    # A picture that fetches fonts tells others who looks at it.
    form = re.sub(r"@font-face \{\{.*?\}\}\s*|<!--.*?-->\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    console.save_svg(str(HERE / "run.svg"), title="make run", theme=INK, unique_id="run", code_format=form)


def draw_report(run: dict, theme: str, file: Path) -> None:
    """Photograph the top of the report."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        page.write_text(render_report(run), encoding="utf-8")
        switches = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
        switches += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
        switches += [f"--user-data-dir={folder}/profile", f"--window-size={SIZE}", f"--screenshot={file}"]
        subprocess.run(["chromium", *switches, f"file://{page}#theme={theme}"], check=True, capture_output=True)
    subprocess.run(["pngquant", "--force", "--strip", "--output", str(file), "128", str(file)], check=True)


if __name__ == "__main__":
    asked = sys.argv[1] if len(sys.argv) > 1 else "@latest"
    moment = sys.argv[2] if len(sys.argv) > 2 else "40"
    found = read_run(open_session().store, asked)
    draw_run(found, float(moment))
    draw_report(found, "light", HERE / "report.png")
    draw_report(found, "dark", HERE / "report-dark.png")
