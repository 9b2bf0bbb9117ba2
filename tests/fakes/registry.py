"""A model registry in memory, and what kills or interleaves the calls to one."""

from __future__ import annotations

import json
import os
import signal
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from argosy.errors import Outage
from argosy.registry.protocol import RegisteredModel, Version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from argosy.registry.protocol import Registry

DIGESTS = [f"sha256:{digit * 64}" for digit in "abcdef"]


class FakeRegistry:
    """The registry protocol over dictionaries; numbers are not reused, as in MLflow."""

    def __init__(self) -> None:
        self.models: dict[str, RegisteredModel] = {}
        self.versions: dict[str, list[Version]] = {}
        self._numbers: dict[str, int] = {}

    def find_model(self, name: str) -> RegisteredModel | None:
        return self.models.get(name)

    def create_model(self, name: str) -> None:
        self.models.setdefault(name, RegisteredModel())

    def list_versions(self, name: str, *, source: str | None = None) -> list[Version]:
        return [version for version in self.versions.get(name, []) if source in {None, version.source}]

    def create_version(self, name: str, *, source: str, tags: Mapping[str, str], description: str) -> None:
        if name not in self.models:
            raise Outage(f"registry fake: no model {name!r}")
        self._numbers[name] = self._numbers.get(name, 0) + 1
        version = Version(self._numbers[name], source, dict(tags), description)
        self.versions.setdefault(name, []).append(version)

    def delete_version(self, name: str, number: int) -> None:
        self.versions[name] = [version for version in self.versions[name] if version.number != number]
        model = self.models[name]
        aliases = {alias: to for alias, to in model.aliases.items() if to != number}
        self.models[name] = replace(model, aliases=aliases)

    def set_alias(self, name: str, alias: str, number: int) -> None:
        model = self.models[name]
        self.models[name] = replace(model, aliases={**model.aliases, alias: number})

    def tag_version(self, name: str, number: int, key: str, value: str | None) -> None:
        self.versions[name] = [
            replace(version, tags=tagged(version.tags, key, value)) if version.number == number else version
            for version in self.versions[name]
        ]

    def tag_model(self, name: str, key: str, value: str | None) -> None:
        model = self.models[name]
        self.models[name] = replace(model, tags=tagged(model.tags, key, value))


def tagged(tags: Mapping[str, str], key: str, value: str | None) -> dict[str, str]:
    rest = {name: text for name, text in tags.items() if name != key}
    return rest if value is None else {**rest, key: value}


class Watched:
    """Calls `around(call)` for every call to a registry."""

    def __init__(self, registry: Registry, around: Callable[[Callable[[], Any]], Any]) -> None:
        self._registry = registry
        self._around = around

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        return lambda *args, **kwargs: self._around(lambda: getattr(self._registry, verb)(*args, **kwargs))


class KilledError(BaseException):
    """The process ended here."""


def raise_killed() -> None:
    raise KilledError


def kill_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying(registry: Registry, *, at: int, after: bool, die: Callable[[], None] = raise_killed) -> Any:
    """A registry that ends the process before or after its nth call (from 0)."""
    made = iter(range(10_000))

    def around(call: Callable[[], Any]) -> Any:
        number = next(made)
        if number == at and not after:
            die()
        answer = call()
        if number == at:
            die()
        return answer

    return Watched(registry, around)


def interleave(registry: Registry, jobs: Sequence[Callable[[Any], Any]], turns: Sequence[int]) -> None:
    """Run jobs side by side, one registry call per turn; after the last turn the rest, one job after the other."""
    takers = [Taker(registry, job) for job in jobs]
    for turn in turns:
        takers[turn].step()
    for taker in takers:
        while taker.step():
            pass


class Taker:
    """A job in a thread that makes one registry call per step."""

    def __init__(self, registry: Registry, job: Callable[[Any], Any]) -> None:
        self._go, self._came = threading.Semaphore(0), threading.Semaphore(0)
        self._done = False
        self._error: BaseException | None = None
        self._watched = Watched(registry, self._wait)
        self._thread = threading.Thread(target=self._run, args=(job,), daemon=True)
        self._thread.start()
        self._came.acquire()

    def step(self) -> bool:
        """Let the job make its next call; False when it has ended."""
        if self._error:
            raise self._error
        if self._done:
            return False
        self._go.release()
        self._came.acquire()
        return True

    def _wait(self, call: Callable[[], Any]) -> Any:
        self._came.release()
        self._go.acquire()
        return call()

    def _run(self, job: Callable[[Any], Any]) -> None:
        try:
            job(self._watched)
        except BaseException as error:
            self._error = error
        self._done = True
        self._came.release()


def a_signature() -> dict[str, Any]:
    return {
        "name": "flights-delay",
        "version": 1,
        "output": {"name": "probability", "description": "arrives 15+ minutes late"},
        "features": [
            {"name": "temp", "type": "number", "group": "weather", "nullable": True},
            {"name": "carrier", "type": "category", "group": "schedule", "nullable": False, "categories": ["AA", "UA"]},
        ],
        "calibration": {"kind": "none"},
        "example": {"temp": 10.0, "carrier": "AA"},
    }


def a_model_folder(path: Path, *, graph: bytes = b"onnx") -> Path:
    path.mkdir(parents=True)
    (path / "model.onnx").write_bytes(graph)
    (path / "signature.json").write_text(json.dumps(a_signature()))
    (path / "card.json").write_text("{}")
    return path
