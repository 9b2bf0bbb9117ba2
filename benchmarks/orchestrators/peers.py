"""The peers' environment: what `requirements.txt` pins, in `.venv-bench`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
VENV = HERE.parents[1] / ".venv-bench"


def install_peers() -> None:
    """Make the environment, unless it was made from these requirements."""
    stamp = VENV / "requirements.txt"
    if stamp.is_file() and stamp.read_bytes() == REQUIREMENTS.read_bytes():
        return
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)], check=True)
    install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(VENV / "bin/python")]
    subprocess.run([*install, "-r", str(REQUIREMENTS)], check=True)
    stamp.write_bytes(REQUIREMENTS.read_bytes())


def pins() -> dict[str, str]:
    """Return the pinned version of each distribution."""
    words = REQUIREMENTS.read_text(encoding="utf-8").split()
    return dict(word.split("==") for word in words if "==" in word)
