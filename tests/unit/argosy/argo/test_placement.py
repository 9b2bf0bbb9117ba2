import pytest

from argosy.argo.placement import placement
from argosy.errors import Unsupported
from tests.fakes.plans import a_task

EXPRESSION = {"key": "zone", "operator": "In", "values": ["a"]}
FROM_THE_RUN = {"componentInputParameter": "where"}


def placed(**platform):
    return placement(a_task("train", "def step():\n    return 1\n", platform=platform))


def constant(value):
    return {"runtimeValue": {"constant": value}}


def test_a_pod_that_may_run_anywhere_is_not_placed():
    assert placed() == {}


def test_affinity_to_nodes_is_required_or_preferred():
    entries = [{"matchExpressions": [EXPRESSION]}, {"matchExpressions": [EXPRESSION], "weight": 5.0}]

    assert placed(nodeAffinity=entries)["affinity"]["nodeAffinity"] == {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [EXPRESSION]}]},
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 5, "preference": {"matchExpressions": [EXPRESSION]}}
        ],
    }


def test_affinity_to_pods_says_whom_and_where():
    entry = {
        "topologyKey": "zone",
        "matchPodExpressions": [EXPRESSION],
        "namespaces": ["a"],
        "matchNamespaceLabels": {"team": "ml"},
    }

    assert placed(podAffinity=[entry, {**entry, "anti": True, "weight": 3.0}])["affinity"] == {
        "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [TERM]},
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 3, "podAffinityTerm": TERM}]
        },
    }


TERM = {
    "topologyKey": "zone",
    "labelSelector": {"matchExpressions": [EXPRESSION]},
    "namespaces": ["a"],
    "namespaceSelector": {"matchLabels": {"team": "ml"}},
}


def test_seconds_of_a_toleration_are_whole():
    found = placed(tolerations=[{"key": "k", "tolerationSeconds": 30.0}])

    assert found["tolerations"] == [{"key": "k", "tolerationSeconds": 30}]


def test_json_that_is_constant_is_as_good_as_fields():
    affinity = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}
    tolerations = [
        {"tolerationJson": constant({"key": "a", "tolerationSeconds": 3.0})},
        {"tolerationJson": constant([{"key": "b"}, {"key": "c"}])},
    ]

    found = placed(
        nodeSelector={"nodeSelectorJson": constant({"disk": "fast"})},
        tolerations=tolerations,
        nodeAffinity=[{"nodeAffinityJson": constant(affinity)}],
    )

    assert found == {
        "nodeSelector": {"disk": "fast"},
        "tolerations": [{"key": "a", "tolerationSeconds": 3}, {"key": "b"}, {"key": "c"}],
        "affinity": {"nodeAffinity": affinity},
    }


@pytest.mark.parametrize(
    "platform",
    [
        {"nodeSelector": {"nodeSelectorJson": FROM_THE_RUN}},
        {"tolerations": [{"tolerationJson": FROM_THE_RUN}]},
        {"nodeAffinity": [{"nodeAffinityJson": FROM_THE_RUN}]},
    ],
)
def test_placement_that_comes_up_in_the_run_is_refused(platform):
    with pytest.raises(Unsupported, match=rf"^tasks\.train\.{next(iter(platform))}: name that comes up in the run"):
        placed(**platform)
