"""Runs one pod of a container template here: its containers as processes that share a folder in place of `/tmp`."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.argo_nodes import now
from tests.fakes.processes import is_alive

TMP = "/tmp"  # noqa: S108
WORKSPACE = "/kfp-workspace/"
DELETED = -1
"""In place of an exit code: the pod was gone before anybody could see one."""
MARK = "SIMULATED_POD"
"""The variable by which all processes of a pod are known, whatever sessions they made."""
VARIABLE = re.compile(r"\$\$|\$\(([^)]*)\)")
INIT = {"ARGO_POD_NAME": "pod", "HOME": "/root"}
"""Variables of the init container, which is told of a source by another one."""
ENDS_WITHIN_S = 10
"""How long a sidecar may go on after the main container; then Argo kills it, and here a test fails."""


class PodError(Exception):
    """A pod that Argo would not start, or not see end."""


def variables(
    container: Mapping[str, Any],
    given: Mapping[str, str],
    referred: Callable[[Mapping[str, Any]], str] = lambda variable: variable["valueFrom"],
) -> dict[str, str]:
    """Return the variables of a container, in which those before stand in for `$(NAME)`."""
    found: dict[str, str] = {}
    for each in container.get("env", []):
        found[each["name"]] = expanded(each["value"], {**given, **found}) if "value" in each else referred(each)
    return found


def expanded(text: str, env: Mapping[str, str]) -> str:
    """Return a text as Kubernetes gives it to a container: `$$` is `$`, and `$(NAME)` a variable that is there."""
    return VARIABLE.sub(lambda match: "$" if match[0] == "$$" else env.get(match[1], match[0]), text)


@dataclass
class Pod:
    """One attempt at a container template.

    Attributes:
        env: What config maps and secrets give to the main container.
        path: That of its node.
        words: The command line; a test may change it before the pod runs.
        code: The exit code of the container, where one was seen.
        deleted: Set where the pod was gone before anybody could see one.
        leaving: Whether somebody deleted the pod, in whichever way.
        objects: What is in secrets and config maps, by name and key.

    """

    name: str
    template: Mapping[str, Any]
    folder: Path
    env: Mapping[str, str]
    path: str
    attempt: int = 0
    words: list[str] = field(default_factory=list)
    phase: str = "Pending"
    code: int | None = None
    uid: str = field(default_factory=lambda: str(uuid.uuid4()))
    created: str = field(default_factory=now)
    main: subprocess.Popen[bytes] | None = None
    deleted: threading.Event = field(default_factory=threading.Event)
    leaving: bool = False
    objects: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        for name in ("tmp", "work"):
            (self.folder / name).mkdir(parents=True)
        artifacts = self.template.get("inputs", {}).get("artifacts", [])
        self.places = {each["path"]: self._artifact(each) for each in artifacts}
        self._require_patch()
        self.words = self._words(self.template["container"], self.env)

    @property
    def log(self) -> str:
        """What the container printed so far."""
        file = self.folder / "log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def run(self, patience_s: float | None = None, began: Callable[[], None] = lambda: None) -> int:
        """Run to the end; return the exit code of the container, or DELETED where nobody could see one."""
        self._mount()
        with (self.folder / "log").open("wb") as log:
            initial = self._run_initial(log)
            with self.lock:
                gone = bool(initial) or self.deleted.is_set()
                beside = [] if gone else self._start_sidecars(log)
                own = self.template["container"]
                self.main = None if gone else self._start(own, self.words, self.env, log)
            if self.main:
                self.phase = "Running"
                began()
                self._await(self.main, patience_s)
                if not self.deleted.is_set():
                    self._await_sidecars(beside)
                end_all(self.uid)
        if self.deleted.is_set():
            self.phase = "Failed"
            return DELETED
        code = self.main.returncode if self.main else initial
        # A container that a signal ended says so as shells do.
        self.code = code if code >= 0 else 128 - code
        self.phase = "Failed" if self.code else "Succeeded"
        return self.code

    def delete(self, grace_s: float = 0) -> None:
        """Delete the pod: its processes end at once, or are asked to and have some seconds for it."""
        with self.lock:
            self.leaving = True
            if grace_s and self.main:
                self.main.send_signal(signal.SIGTERM)
                killer = threading.Timer(grace_s, end_all, [self.uid])
                killer.daemon = True
                killer.start()
            else:
                self.deleted.set()
                end_all(self.uid)

    def outputs(self) -> dict[str, str | None] | str:
        """Return the parameters that the container left, or what is wrong with them."""
        found: dict[str, str | None] = {}
        for each in self.template.get("outputs", {}).get("parameters", []):
            file = self.folder / "tmp/outputs" / Path(each["valueFrom"]["path"]).name
            if not file.exists():
                return f"{each['valueFrom']['path']} is not there"
            found[each["name"]] = file.read_text(encoding="utf-8")
        return found

    def _require_patch(self) -> None:
        """Read the patch of the pod, which has to be JSON by now and to name containers that are there."""
        patch = json.loads(self.template.get("podSpecPatch", '{"containers": []}'))
        names = {"main", *(each["name"] for each in self.template.get("sidecars", []))}
        if not {each["name"] for each in patch["containers"]} <= names or "{{" in str(patch):
            raise PodError(f"{self.path}: podSpecPatch: {patch}")

    def _mount(self) -> None:
        """Lay links to volumes where containers have them, as far as that is below the folder for temporary files."""
        held = {volume["name"]: self._held(volume) for volume in self.template.get("volumes", [])}
        for container in (
            self.template["container"],
            *self.template.get("sidecars", []),
            *self.template.get("initContainers", []),
        ):
            for mount in container.get("volumeMounts", []):
                place = Path(mount["mountPath"])
                if mount["name"] in held and place.is_relative_to(tempfile.gettempdir()):
                    place.unlink(missing_ok=True)
                    place.symlink_to(held[mount["name"]])

    def _held(self, volume: Mapping[str, Any]) -> Path:
        if "persistentVolumeClaim" in volume:
            claim = self.folder.parent / "claims" / volume["persistentVolumeClaim"]["claimName"]
            if not claim.is_dir():
                raise PodError(f"{self.path}: no claim {claim.name}, so the pod would wait for ever")
            return claim
        folder = self.folder / "volumes" / volume["name"]
        folder.mkdir(parents=True)
        return folder

    def _artifact(self, artifact: Mapping[str, Any]) -> str:
        file = self.folder / "source.py"
        file.write_text(expanded(artifact["raw"]["data"], INIT), encoding="utf-8")
        return str(file)

    def _local(self, word: str) -> str:
        """Return a word with a path of the pod as one of this machine."""
        if WORKSPACE in word:
            return word.replace(WORKSPACE, f"{self.folder.parent}/workspace/")
        if word.startswith(f"{TMP}/"):
            return str(self.folder / "tmp" / word.removeprefix(f"{TMP}/"))
        return self.places.get(word, word)

    def _words(self, container: Mapping[str, Any], given: Mapping[str, str]) -> list[str]:
        words = [self._local(word) for word in (*container["command"], *container.get("args", []))]
        if any("{{" in word for word in words):
            raise PodError(f"{self.path}: {[word for word in words if '{{' in word]} is left")
        env = {**given, **self._env(container, given)}
        words = [expanded(word, env) for word in words]
        return [sys.executable if words[0] == "python3" else words[0], *words[1:]]

    def _env(self, container: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
        env = variables(container, given, self._referred)
        return env | {"HOME": str(self.folder / "tmp"), "TMPDIR": str(self.folder / "tmp"), MARK: self.uid}

    def _referred(self, variable: Mapping[str, Any]) -> str:
        """Return what a variable takes from a secret, a config map or the pod itself."""
        match variable["valueFrom"]:
            case {"secretKeyRef": {"name": name, "key": key}} | {"configMapKeyRef": {"name": name, "key": key}}:
                return self.objects[name][key]
            case {"fieldRef": {"fieldPath": path}}:
                found = re.fullmatch(r"metadata\.(annotations|labels)\['(.+)'\]", path)
                return str(self.template.get("metadata", {}).get(found[1], {}).get(found[2], "")) if found else ""
        raise PodError(f"{self.path}: {variable}")

    def _run_initial(self, log: Any) -> int:
        """Run the init containers in turn; return the exit code of the first that fails, or zero."""
        for each in self.template.get("initContainers", []):
            if code := self._start(each, self._words(each, {}), {}, log).wait():
                return code
        return 0

    def _start_sidecars(self, log: Any) -> list[subprocess.Popen[bytes]]:
        return [self._start(each, self._words(each, {}), {}, log) for each in self.template.get("sidecars", [])]

    def _await_sidecars(self, beside: list[subprocess.Popen[bytes]]) -> None:
        until = time.monotonic() + ENDS_WITHIN_S
        for each in beside:
            try:
                code = each.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                end_all(self.uid)
                raise PodError(f"{self.path}: a sidecar goes on after the main container") from None
            if code:
                raise PodError(f"{self.path}: a sidecar ended with {code}, which fails the pod: {self.log}")

    def _start(
        self, container: Mapping[str, Any], words: list[str], given: Mapping[str, str], log: Any
    ) -> subprocess.Popen[bytes]:
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
        return subprocess.Popen(
            words,
            cwd=self.folder / "work",
            env={**kept, **given, **self._env(container, given)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _await(self, main: subprocess.Popen[bytes], patience_s: float | None) -> None:
        try:
            main.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.delete()
            main.wait()


def end_all(uid: str) -> None:
    """Kill every process of a pod, and wait until the last has ended."""
    mark = f"{MARK}={uid}".encode()
    killed: set[int] = set()
    while True:
        found = [pid for pid in _processes() if mark in _environment(pid).split(b"\0")]
        killed |= set(found)
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        # One that is about to end has lost its environment already, and may not have closed its files.
        if not any(map(is_alive, killed)):
            return
        time.sleep(0.005)


def _processes() -> list[int]:
    return [int(place.name) for place in Path("/proc").glob("[0-9]*")]


def _environment(pid: int) -> bytes:
    """Return the environment of a process; nothing of one that has ended or belongs to somebody else."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
