"""What serving does with a row that expired or is missing: goes on, refers to a person, or fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.features.carried import CarriedRules, CarriedView
    from argosy.features.vector import Seen
    from argosy.serving.entities import Entity

POLICIES = {"OUTSIDE_MAX_AGE": "on_expired", "NOT_FOUND": "on_missing"}

Finding = dict[str, Any]


class Decision(NamedTuple):
    """Whether to predict, and of each view that stands against it, why."""

    kind: Literal["predict", "refer", "fail"]
    findings: list[Finding]


PREDICT = Decision("predict", [])


def decide(rules: CarriedRules, views: Mapping[str, Seen], entity: Entity, *, at: str) -> Decision:
    """Apply the views' rules to what was found; one that fails outweighs those that refer.

    Args:
        rules: What the model carries.
        views: What the request found, by the view's name.
        entity: For the message.
        at: The entity's place in the body, such as `entities[3]`.

    """
    found: dict[str, list[Finding]] = {"fail": [], "refer": []}
    for view in rules.views:
        seen = views[view.name]
        policy = POLICIES.get(seen.status)
        if policy and getattr(view, policy) != "null":
            rule = getattr(view, policy)
            found[rule].append({"field": at, **_finding(view, seen, entity, f"{policy}: {rule}")})
    if found["fail"]:
        return Decision("fail", found["fail"])
    return Decision("refer", found["refer"]) if found["refer"] else PREDICT


def _finding(view: CarriedView, seen: Seen, entity: Entity, rule: str) -> Finding:
    key = ", ".join(f"{name} {entity[name]!r}" for name in view.keys)
    ttl = "" if view.ttl_us is None else f" at most {view.ttl_us / 1e6:g} s old"
    age = "there is none" if seen.age_s is None else f"it is {seen.age_s:g} s old"
    return {
        "error": f"view {view.name!r} needs a row of {key}{ttl}, {age}; its rule is {rule}",
        "view": view.name,
        "got": seen.status,
        "allowed": f"a row{ttl}",
    }
