"""Answer requests by key: read the rows, judge them now, build the vector that training saw, predict, write it down."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from argosy.errors import ArgosyError
from argosy.features.instants import now_us
from argosy.features.vector import assemble, wanted_rows
from argosy.serving.answers import RETRY_SOON, Answer
from argosy.serving.entities import INSTANT, instant_us
from argosy.serving.findings import InvalidBody, finding
from argosy.serving.policies import decide

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Executor

    from argosy.features.carried import CarriedRules
    from argosy.features.online.rows import OnlineRow
    from argosy.features.vector import Vector
    from argosy.serving.entities import Asked, Entity
    from argosy.serving.follow import Served
    from argosy.serving.metrics import Metrics
    from argosy.serving.online import OnlineReader
    from argosy.serving.policies import Decision
    from argosy.serving.served_log import ServedLog

MAX_WARNINGS = 20

log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """What became of one entity; `probability` is None where the decision is not to predict."""

    request_id: str
    entity: Entity
    vector: Vector
    decision: Decision
    probability: float | None


class Keyed:
    """Predictions by key, from one online store.

    Args:
        reader: Of the store.
        metrics: Where reads are counted.
        served_log: Where what is served is written; None for nowhere.
        replay: Whether a request may say the instant that it is answered as of.

    """

    def __init__(
        self, reader: OnlineReader, metrics: Metrics, *, served_log: ServedLog | None = None, replay: bool = False
    ) -> None:
        self._reader = reader
        self._metrics = metrics
        self._served_log = served_log
        self._replay = replay

    def start(self) -> None:
        """Begin to log; import and open the store meanwhile, so that no request waits for that."""
        if self._served_log is not None:
            self._served_log.start()
        threading.Thread(target=self._warm, name="warm", daemon=True).start()

    def stop(self) -> None:
        """Write what was served, and let go of the store."""
        if self._served_log is not None:
            self._served_log.stop()
        self._reader.close()

    async def predict(self, served: Served, asked: Asked, request_id: str) -> Answer:
        """Answer one entity."""
        as_of_us = self._as_of_us(asked)
        [entity] = asked.entities
        rules = _rules(served)
        try:
            rows = await self._reader.fetch(wanted_rows(rules, entity))
        except ArgosyError as error:
            return self._outage(error)
        # Only after the read: a row that was written before it must not lie in the future of the request.
        at_us = as_of_us or now_us()
        vector = assemble(rules, entity, rows, at_us)
        decision = decide(rules, vector.views, entity, at="entities")
        [probability] = _predict(served, [vector], [decision])
        self._note(served, Outcome(request_id, entity, vector, decision, probability), at_us)
        if decision.kind == "fail":
            return _conflict(decision.findings)
        fields: dict[str, Any] = {"decision": "refer", "reasons": decision.findings}
        if decision.kind == "predict":
            fields = {"probability": probability}
        warnings = served.requests.find_warnings(vector.features, "features") if decision.kind == "predict" else []
        fields |= {"model": served.target.digest, "request_id": request_id}
        fields |= {"warnings": warnings} if warnings else {}
        fields |= {"explain": _explain(rules, vector, at_us)} if asked.explain else {}
        return Answer(200, fields)

    async def predict_batch(self, served: Served, asked: Asked, request_id: str, threads: Executor) -> Answer:
        """Answer many entities, all as of one instant, in another thread: rows are read and judged for each."""
        as_of_us = self._as_of_us(asked)
        loop = asyncio.get_running_loop()
        try:
            at_us, vectors = await loop.run_in_executor(threads, self._look_up, served, asked, as_of_us)
        except ArgosyError as error:
            return self._outage(error)
        rules = _rules(served)
        pairs = list(zip(asked.entities, vectors, strict=True))
        decisions = [
            decide(rules, vector.views, entity, at=f"entities[{index}]") for index, (entity, vector) in enumerate(pairs)
        ]
        probabilities = await loop.run_in_executor(threads, _predict, served, vectors, decisions)
        for index, (pair, decision, probability) in enumerate(zip(pairs, decisions, probabilities, strict=True)):
            self._note(served, Outcome(f"{request_id}/{index}", *pair, decision, probability), at_us)
        failed = [found for each in decisions if each.kind == "fail" for found in each.findings]
        if failed:
            return _conflict(failed)
        referred = [found for each in decisions if each.kind == "refer" for found in each.findings]
        warnings = _batch_warnings(served, vectors, decisions)
        fields: dict[str, Any] = {"probabilities": probabilities, "model": served.target.digest}
        fields["request_id"] = request_id
        fields |= {"referred": referred} if referred else {}
        fields |= {"warnings": warnings} if warnings else {}
        fields |= {"explain": [_explain(rules, vector, at_us) for vector in vectors]} if asked.explain else {}
        return Answer(200, fields)

    def _look_up(self, served: Served, asked: Asked, as_of_us: int | None) -> tuple[int, list[Vector]]:
        """Read the rows of a batch in one round trip and build its vectors."""
        rules, width = _rules(served), len(_rules(served).views)
        rows = self._reader.read(list(chain.from_iterable(wanted_rows(rules, entity) for entity in asked.entities)))
        at_us = as_of_us or now_us()
        parts: list[Sequence[OnlineRow | None]] = [rows[start : start + width] for start in range(0, len(rows), width)]
        parts = parts or [[]] * len(asked.entities)
        return at_us, [assemble(rules, *each, at_us) for each in zip(asked.entities, parts, strict=True)]

    def _as_of_us(self, asked: Asked) -> int | None:
        if asked.as_of is None:
            return None
        if not self._replay:
            allowed = "no as_of: this server answers as of now; one started with `serve --replay` takes it"
            raise InvalidBody(422, [finding("as_of", "not in replay mode", asked.as_of, allowed)])
        at_us = instant_us(asked.as_of)
        if at_us is None:
            raise InvalidBody(422, [finding("as_of", "wrong value", asked.as_of, INSTANT)])
        return at_us

    def _note(self, served: Served, outcome: Outcome, at_us: int) -> None:
        """Count and log what was served."""
        views = outcome.vector.views
        self._metrics.count_reads(views)
        if self._served_log is not None:
            record = {
                "request_id": outcome.request_id,
                "at_us": at_us,
                "model": served.target.digest,
                "entity": outcome.entity,
                "views": {name: seen[:2] for name, seen in views.items()},
                "features": outcome.vector.features,
                "decision": outcome.decision.kind,
                "probability": outcome.probability,
            }
            self._served_log.put(record)

    def _outage(self, error: ArgosyError) -> Answer:
        self._metrics.outages += 1
        message = {
            "error": str(error),
            "field": "entities",
            "allowed": "features, which need no online store; or later",
        }
        return Answer(503, message, RETRY_SOON)

    def _warm(self) -> None:
        with suppress(ArgosyError):  # a request will say it
            self._reader.warm()


def _rules(served: Served) -> CarriedRules:
    if served.rules is None:
        raise TypeError("a model without rules takes no entities; its request model refuses them")
    return served.rules


def _predict(served: Served, vectors: Sequence[Vector], decisions: Sequence[Decision]) -> list[float | None]:
    """Predict what may be; None for the rest."""
    wanted = [vector.features for vector, each in zip(vectors, decisions, strict=True) if each.kind == "predict"]
    made = iter(served.model.predict_rows(wanted))
    return [next(made) if each.kind == "predict" else None for each in decisions]


def _conflict(findings: Sequence[dict[str, Any]]) -> Answer:
    return Answer(409, {**findings[0], "errors": list(islice(findings, MAX_WARNINGS))})


def _batch_warnings(
    served: Served, vectors: Sequence[Vector], decisions: Sequence[Decision]
) -> list[Mapping[str, object]]:
    found = (
        served.requests.find_warnings(vector.features, f"entities[{index}].features")
        for index, (vector, decision) in enumerate(zip(vectors, decisions, strict=True))
        if decision.kind == "predict"
    )
    return list(islice(chain.from_iterable(found), MAX_WARNINGS))


def _explain(rules: CarriedRules, vector: Vector, at_us: int) -> dict[str, Any]:
    """Tell what each view had, and all values that the model read."""
    views = {
        view.name: {
            "status": vector.views[view.name].status,
            "age_s": vector.views[view.name].age_s,
            "values": {name: vector.features[name] for name in view.names},
        }
        for view in rules.views
    }
    own = {each.name: vector.features[each.name] for each in rules.request}
    return {"at_us": at_us, "request": own, "views": views}
