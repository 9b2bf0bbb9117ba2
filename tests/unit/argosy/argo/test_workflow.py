import json

import pytest

from argosy.argo.dag import GUARD
from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.errors import Mistake, Unsupported
from argosy.spec.read import read_pipeline
from tests.fakes.argo_pod_specs import a_claim
from tests.fakes.argo_specs import CONSTRUCTS, RETRY, a_task, constant, pipeline
from tests.fakes.specs import a_parameter, with_field


def made(spec, **wanted):
    return manifest(read_pipeline(spec), Wanted(**wanted))


def templates(spec):
    return {each["name"]: each for each in made(spec)["spec"]["templates"]}


def test_the_same_spec_stands_in_a_template_and_below_a_schedule():
    workflow = made(RETRY)
    template = made(RETRY, kind="WorkflowTemplate")
    cron = made(RETRY, kind="CronWorkflow", schedule="0 6 * * *")

    assert workflow["metadata"]["generateName"] == "small-"
    assert template["metadata"]["name"] == cron["metadata"]["name"] == "small"
    assert workflow["spec"] == template["spec"] == cron["spec"]["workflowSpec"]
    assert cron["spec"]["schedules"] == ["0 6 * * *"]


@pytest.mark.parametrize("wanted", [{"kind": "CronWorkflow"}, {"schedule": "0 6 * * *"}])
def test_a_schedule_belongs_to_a_cron(wanted):
    with pytest.raises(
        Mistake,
        match=r"^--schedule: got .* with --kind \w+; a CronWorkflow needs one, like .* and nothing else takes one",
    ):
        made(RETRY, **wanted)


def test_parameters_are_json_and_what_may_be_left_out_is_empty():
    parameters = {
        "given": a_parameter(),
        "name": a_parameter(defaultValue='a "b" {{c}}', isOptional=True),
        "share": a_parameter("NUMBER_DOUBLE", defaultValue=1.0, isOptional=True, literals=[1.0, 2.5]),
        "maybe": a_parameter("LIST", isOptional=True),
    }
    spec = pipeline({"count": a_task("comp-count", n=constant(1))}, parameters=parameters)

    assert made(spec)["spec"]["arguments"]["parameters"] == [
        {"name": "given"},
        {"name": "maybe", "value": ""},
        {"name": "name", "value": r'"a \"b\" \u007b\u007bc}}"'},
        {"name": "share", "value": "1.0", "enum": ["1.0", "2.5"]},
    ]


def test_equal_components_share_a_template_and_others_get_a_number():
    tasks = {
        "count": a_task("comp-count", n=constant(1)),
        "count-2": a_task("comp-count", n=constant(2)),
        "count-3": {**a_task("comp-count", n=constant(3)), "cachingOptions": {}},
    }

    spec = made(pipeline(tasks))["spec"]

    assert [each["name"] for each in spec["templates"]] == ["main", "count", "count-2"]
    assert [task["template"] for task in spec["templates"][0]["dag"]["tasks"]] == ["count", "count", "count-2"]


def test_a_component_called_main_does_not_take_the_name_of_the_entry():
    spec = json.loads(json.dumps(RETRY).replace('"count"', '"main"').replace("def count(", "def main("))

    assert [each["name"] for each in made(spec)["spec"]["templates"]] == ["main", "main-2"]


def test_every_pod_is_restricted():
    for name in CONSTRUCTS:
        for template in templates(CONSTRUCTS[name]).values():
            if "container" in template:
                context = template["container"]["securityContext"]
                assert context["runAsNonRoot"]
                assert context["readOnlyRootFilesystem"]
                assert context["capabilities"] == {"drop": ["ALL"]}
                assert context["allowPrivilegeEscalation"] is False


def guard_image(spec, **wanted):
    return {each["name"]: each for each in made(spec, **wanted)["spec"]["templates"]}[GUARD]["container"]["image"]


def guarded_by_claim():
    spec = a_claim()
    tasks = spec["pipeline_spec"]["root"]["dag"]["tasks"]
    tasks["deletepvc"] |= {"triggerPolicy": {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}}
    return spec


def test_the_guard_runs_where_python_is():
    assert guard_image(guarded_by_claim()) == "python:3.11"
    assert guard_image(guarded_by_claim(), image="steps:1") == "steps:1"


def test_a_guard_for_nothing_but_claims_needs_an_image():
    spec = guarded_by_claim()
    root = spec["pipeline_spec"]["root"]
    for name in ("leave", "take"):
        root["dag"]["tasks"].pop(name)
    root["dag"].pop("outputs")
    root.pop("outputDefinitions")
    root["dag"]["tasks"]["deletepvc"]["dependentTasks"] = ["createpvc"]

    with pytest.raises(Unsupported, match=r"^tasks: program \(nothing but claims of storage\)"):
        made(spec)
    assert guard_image(spec, image="steps:1") == "steps:1"


def test_deadlines_and_times_to_live_of_the_pipeline_are_kept():
    config = {"activeDeadlineSeconds": 60, "resourceTtlOnSuccess": 10, "resourceTtlOnFailure": 20}
    platform = {"platforms": {"kubernetes": {"pipelineConfig": config}}}

    spec = made({"pipeline_spec": RETRY, "platform_spec": platform})["spec"]

    assert spec["activeDeadlineSeconds"] == 60
    assert spec["ttlStrategy"] == {"secondsAfterSuccess": 10, "secondsAfterFailure": 20}


def test_a_braced_description_is_nothing_to_substitute():
    spec = with_field(RETRY, "pipelineInfo.description", "of {{workflow.name}}")

    assert "{{" not in str(made(spec)["metadata"])
