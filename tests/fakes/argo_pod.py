"""Runs one pod of a container template here: its containers as processes that share a folder in place of `/tmp`."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TMP = "/tmp"  # noqa: S108
DELETED = -1
ENDS_WITHIN_S = 10
"""How long a sidecar may go on after the main container; then Argo kills it, and here a test fails."""


class PodError(Exception):
    """A pod that Argo would not start, or not see end."""


def expanded(word: str, env: Mapping[str, str]) -> str:
    """Return a word of a command as Kubernetes hands it on: `$$` is `$`, and `$(NAME)` a variable that is there."""
    return re.sub(r"\$(\$|\(([^)]*)\))", lambda found: "$" if found[1] == "$" else env.get(found[2], found[0]), word)


@dataclass
class Pod:
    """One attempt at a container template.

    Attributes:
        env: What config maps and secrets give to the main container.
        path: That of its node, for messages.

    """

    template: Mapping[str, Any]
    folder: Path
    env: Mapping[str, str]
    path: str

    def run(self, patience_s: float | None) -> tuple[int, str]:
        """Run to the end; return the exit code of the main container, and its log."""
        for name in ("tmp", "work"):
            (self.folder / name).mkdir(parents=True)
        self.places = {
            each["path"]: self._artifact(each) for each in self.template.get("inputs", {}).get("artifacts", [])
        }
        beside = [self._start(each, {}) for each in self.template.get("sidecars", [])]
        main = self._start(self.template["container"], self.env)
        try:
            log, _ = main.communicate(timeout=patience_s)
        except subprocess.TimeoutExpired:
            self._kill([main, *beside])
            return DELETED, ""
        self._await(beside)
        return main.returncode, log

    def _artifact(self, artifact: Mapping[str, Any]) -> str:
        file = self.folder / "source.py"
        file.write_text(artifact["raw"]["data"], encoding="utf-8")
        return str(file)

    def _start(self, container: Mapping[str, Any], given: Mapping[str, str]) -> subprocess.Popen[str]:
        words = [self._local(word) for word in (*container["command"], *container.get("args", []))]
        if any("{{" in word for word in words):
            raise PodError(f"{self.path}: {[word for word in words if '{{' in word]} is left")
        env = {each["name"]: each["value"] for each in container.get("env", [])}
        env |= {"HOME": str(self.folder / "tmp"), "TMPDIR": str(self.folder / "tmp")}
        words = [expanded(word, {**given, **env}) for word in words]
        words[0] = sys.executable if words[0] == "python3" else words[0]
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
        return subprocess.Popen(
            words,
            cwd=self.folder / "work",
            env={**kept, **given, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _local(self, word: str) -> str:
        """Return a word with a path of the pod as one of this machine."""
        if word.startswith(f"{TMP}/"):
            return str(self.folder / "tmp" / word.removeprefix(f"{TMP}/"))
        return self.places.get(word, word)

    def _await(self, beside: list[subprocess.Popen[str]]) -> None:
        until = time.monotonic() + ENDS_WITHIN_S
        for each in beside:
            try:
                log, _ = each.communicate(timeout=max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._kill(beside)
                raise PodError(f"{self.path}: a sidecar goes on after the main container") from None
            if each.returncode:
                raise PodError(f"{self.path}: a sidecar ended with {each.returncode}, which fails the pod: {log}")

    def _kill(self, containers: list[subprocess.Popen[str]]) -> None:
        for each in containers:
            os.killpg(each.pid, signal.SIGKILL)
            each.communicate()
