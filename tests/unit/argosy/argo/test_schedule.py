import json

import pytest
import yaml

from argosy.argo.emit import emit
from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.spec.read import read_pipeline
from tests.fakes.argo_engine import read_outputs, simulate
from tests.fakes.argo_specs import a_dag, pipeline, when
from tests.fakes.specs import a_parameter, a_task, constant, outer

TEXT = a_parameter()
CRON = Wanted("CronWorkflow", schedule="0 6 * * *")


def a_pipeline(default="2014-01-03T00:00:00Z", kind="STRING"):
    return pipeline(
        {
            "say": a_task("comp-say", text=outer("as_of"), note=constant("{{$.pipeline_job_schedule_time_utc}}")),
            "old": when(a_task("comp-old", day=outer("as_of")), "inputs.parameter_values['day'] < '2020'"),
        },
        parameters={"as_of": a_parameter(kind, defaultValue=default, isOptional=True), "rows": TEXT},
        outputs={"said": ("say", "Output", TEXT)},
        old=a_dag({"say-old": a_task("comp-say", text=constant("old"))}, inputs={"day": TEXT}),
    )


def said_at(time, tmp_path, spec=None, **given):
    read = read_pipeline(spec or a_pipeline())
    texts = {name: json.dumps(value) for name, value in {"rows": "x", **given}.items()}
    workflow = simulate(manifest(read, CRON), texts, tmp_path)
    workflow.scheduled = time
    root = workflow.run()
    assert root.phase == "Succeeded", root.message
    return read_outputs(read, root.outputs, tmp_path)["said"], workflow.nodes["main.say-old"].phase


def test_a_scheduled_run_is_given_the_time_of_the_schedule_in_utc(tmp_path):
    assert said_at("2026-03-01T06:00:00+01:00", tmp_path) == ("2026-03-01T05:00:00Z", "Skipped")


def test_a_day_is_given_as_a_day(tmp_path):
    assert said_at("2026-03-01T00:30:00+01:00", tmp_path, a_pipeline("2014-01-03")) == ("2026-02-28", "Skipped")


def test_a_person_may_give_another_time(tmp_path):
    given = "2019-05-05T00:00:00Z"

    assert said_at("2026-03-01T06:00:00Z", tmp_path, as_of=given) == (given, "Succeeded")


@pytest.mark.parametrize("kind", ["Workflow", "WorkflowTemplate"])
def test_no_other_kind_knows_a_time_of_a_schedule(kind):
    text = emit(manifest(read_pipeline(a_pipeline()), Wanted(kind)))

    assert "scheduledTime" not in text
    assert yaml.safe_load(text)["spec"]["arguments"]["parameters"][0]["value"] == '"2014-01-03T00:00:00Z"'


def test_an_as_of_that_is_no_text_is_an_input_like_others():
    spec = a_pipeline(2014.0, "NUMBER_INTEGER")
    spec["components"]["comp-old"]["inputDefinitions"]["parameters"]["day"] = a_parameter("NUMBER_INTEGER")
    spec["root"]["dag"]["tasks"]["old"]["triggerPolicy"]["condition"] = "int(inputs.parameter_values['day']) < 2020"

    parameters = manifest(read_pipeline(spec), CRON)["spec"]["workflowSpec"]["arguments"]["parameters"]

    assert parameters[0] == {"name": "as_of", "value": "2014"}


def test_a_schedule_is_read_in_a_zone():
    made = manifest(read_pipeline(a_pipeline()), CRON)["spec"]
    elsewhere = manifest(read_pipeline(a_pipeline()), Wanted("CronWorkflow", "0 6 * * *", timezone="Europe/Berlin"))

    assert (made["schedules"], made["timezone"]) == (["0 6 * * *"], "UTC")
    assert elsewhere["spec"]["timezone"] == "Europe/Berlin"
