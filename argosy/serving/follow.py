"""Follow a ref: load the model it names, warm it, and swap it in while the old one answers."""

from __future__ import annotations

import json
import logging
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from argosy.errors import BadInput
from argosy.features.carried import read_carried
from argosy.serving.runtime import RULES, load_model
from argosy.serving.validation import RequestModel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from argosy.features.carried import CarriedRules
    from argosy.serving.runtime import Model

POLL_S = 0.5
RETRY_S = 10.0
WARM_UP_RUNS = 20
INLINE_ROWS = 64

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Target:
    """What a ref names: a model by its digest, and the folder that holds it."""

    digest: str
    name: str
    generation: int
    folder: Path


@dataclass(frozen=True)
class Served:
    """A loaded and warmed model with the request model of its signature.

    `rules` are those that its features are looked up by; None for a model that carries none.
    """

    target: Target
    model: Model
    requests: RequestModel
    inline_bytes: int
    rules: CarriedRules | None = None

    @property
    def signature(self) -> dict[str, Any]:
        """The names, types and ranges of the features that the model reads."""
        return self.model.signature


@dataclass(frozen=True)
class Failure:
    """Why the wanted model is not the served one."""

    target: Target | None
    reason: str
    at_s: float


def prepare(target: Target) -> Served:
    """Load a model and answer its signature's example with it, as a request would.

    Raises:
        BadInput: The example is refused or its answer is no probability.

    """
    model = load_model(target.folder)
    rules = _read_rules(target.folder, model)
    requests = RequestModel(model.signature, rules)
    body = json.dumps({"features": model.signature["example"]}).encode()
    row = requests.decode_row(body)
    for _ in range(WARM_UP_RUNS):
        probability = model.predict_rows([row])[0]
    if not 0.0 <= probability <= 1.0:
        raise BadInput(f"{target.digest}: the example's answer is {probability}, not a probability from 0 to 1")
    return Served(target, model, requests, inline_bytes=INLINE_ROWS * len(body), rules=rules)


def _read_rules(folder: Path, model: Model) -> CarriedRules | None:
    """Read the rules that a model carries, if it does, and hold them to its signature."""
    if not (folder / RULES).is_file():
        return None
    rules = read_carried(folder / RULES)
    if sorted(rules.names) != sorted(model.feature_names):
        other = sorted(set(rules.names) ^ set(model.feature_names))
        raise BadInput(f"{folder / RULES}: its features and the signature's differ in {other}; restore the folder")
    return rules


class Follower:
    """The served model of this process, kept equal to what `current` names.

    A daemon thread looks, loads and warms, so neither a slow store nor a large model holds up a request or
    the end of the process. Requests read `served` once and keep that model to their end.
    """

    def __init__(
        self,
        current: Callable[[], Target | None],
        *,
        load: Callable[[Target], Served] = prepare,
        poll_s: float = POLL_S,
    ) -> None:
        self.served: Served | None = None
        self.failed: Failure | None = None
        self._current = current
        self._load = load
        self._poll_s = poll_s
        self._ended = threading.Event()

    def start(self) -> None:
        """Begin to follow, in a thread of its own."""
        threading.Thread(target=self._follow, name="follow", daemon=True).start()

    def stop(self) -> None:
        """Stop looking; the served model stays."""
        self._ended.set()

    def look(self) -> None:
        """Look once at the ref and serve what it names; on failure keep the old model and say why."""
        target = None
        try:
            target = self._current()
            if target is not None and self._is_due(target):
                self._serve(target)
            self._forget_failure(target)
        except Exception as error:  # whatever a model or a store throws, the old model must go on answering
            log.exception("the model that the ref names cannot be served")
            self.failed = Failure(target, f"{type(error).__name__}: {error}", time.monotonic())

    def _follow(self) -> None:
        while not self._ended.is_set():
            self.look()
            self._ended.wait(self._poll_s)

    def _is_due(self, target: Target) -> bool:
        if self.served is not None and self.served.target == target:
            return False
        failed = self.failed
        return failed is None or failed.target != target or time.monotonic() - failed.at_s >= RETRY_S

    def _serve(self, target: Target) -> None:
        old = self.served
        if old is not None and old.target.digest == target.digest:
            self.served = replace(old, target=target)
        else:
            self.served = self._load(target)
        log.info("serving %s %s, generation %s", target.name, target.digest, target.generation)

    def _forget_failure(self, target: Target | None) -> None:
        wanted_is_served = self.served is not None and self.served.target == target
        if self.failed is not None and (wanted_is_served or self.failed.target is None):
            self.failed = None


def describe_health(follower: Follower) -> dict[str, Any]:
    """Say what this process serves and, if it is not what it should serve, why."""
    served, failed = follower.served, follower.failed
    target = served.target if served else None
    return {
        "status": "ok",
        "model": target.digest if target else None,
        "model_name": target.name if target else None,
        "generation": target.generation if target else None,
        "failed": failed and {"digest": failed.target and failed.target.digest, "reason": failed.reason},
    }
