import json

from argosy.argo.resources import pod_spec_patch, resources
from argosy.spec.model import Constant
from tests.fakes.plans import a_task

CPU = "{{$.inputs.parameters['pipelinechannel--cpu']}}"


def asking(channels=None, **given):
    return a_task("train", "def step():\n    return 1\n", platform={"resources": given}, channels=channels or {})


def test_older_numbers_of_cores_and_gigabytes_are_quantities_too():
    task = asking(cpuLimit=1.5, memoryLimit=2.0, accelerator={"type": "nvidia.com/gpu", "count": "2"})

    assert resources(task) == {"limits": {"cpu": "1.5", "memory": "2G", "nvidia.com/gpu": "2"}}
    assert pod_spec_patch(task, "main") is None


def test_what_the_run_gives_comes_in_by_a_patch():
    accelerator = {"resourceType": "nvidia.com/gpu", "resourceCount": CPU}
    task = asking(
        {"pipelinechannel--cpu": Constant("2")},
        resourceCpuLimit=CPU,
        resourceMemoryRequest=f"{CPU}Gi",
        resourceMemoryLimit="4Gi",
        accelerator=accelerator,
    )

    assert resources(task) == {"limits": {"memory": "4Gi"}}
    assert json.loads(pod_spec_patch(task, "program")) == {
        "containers": [
            {
                "name": "program",
                "resources": {
                    "limits": {
                        "cpu": "{{inputs.parameters.pod-cpu}}",
                        "nvidia.com/gpu": "{{inputs.parameters.pod-cpu}}",
                    },
                    "requests": {"memory": "{{inputs.parameters.pod-cpu}}Gi"},
                },
            }
        ]
    }


def test_nothing_asked_is_nothing_given():
    assert (resources(asking()), pod_spec_patch(asking(), "main")) == ({}, None)
