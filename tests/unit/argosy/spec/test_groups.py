import pytest

from argosy.errors import Mistake
from argosy.spec.model import Constant, PipelineInput, Start, TaskOutput
from argosy.spec.read import read_pipeline
from tests.fakes.specs import (
    a_component,
    a_condition_task,
    a_group,
    a_parameter,
    a_spec,
    a_task,
    constant,
    outer,
    output_of,
    with_field,
)

STEP = a_component("exec-step", inputs={"text": a_parameter(isOptional=True)}, outputs={"Output": a_parameter()})


def is_yes(name):
    return f"inputs.parameter_values['{name}'] == 'yes'"


def a_step(*after, **inputs):
    return {**a_task("comp-step", **inputs), "dependentTasks": list(after)}


def a_branch(component, flag, *after):
    """Return the task of a group that runs where `flag`, given by this source, is yes."""
    return {**a_condition_task(component, is_yes("flag"), flag=flag), "dependentTasks": list(after)}


def plan(tasks, **groups):
    parameters = {"answer": a_parameter(), "other": a_parameter()}
    components = {"comp-step": STEP, **{f"comp-{name}": group for name, group in groups.items()}}
    return {task.name: task for task in read_pipeline(a_spec(tasks, components, parameters=parameters)).tasks}


FLAG = {"flag": a_parameter()}
ANSWER = {"flag": PipelineInput("answer")}


def test_a_task_in_a_group_carries_its_condition_and_waits_for_what_the_group_waits_for():
    tasks = plan(
        {"first": a_step(), "second": a_step(), "condition-1": a_branch("comp-if", output_of("first"), "second")},
        **{"if": a_group({"inner": a_step()}, inputs=FLAG)},
    )

    assert tasks["inner"].start.after == ("first", "second")
    assert tasks["inner"].start.tolerates == ()
    assert [condition.channels for condition in tasks["inner"].start.conditions] == [
        {"flag": TaskOutput("first", "Output")}
    ]


def test_a_group_in_a_group_carries_both_conditions_from_the_outside_in():
    nested = a_group({"inner": a_step(), "condition-2": a_branch("comp-if", outer("flag"))}, inputs=FLAG)

    tasks = plan(
        {"condition-1": a_branch("comp-outer", outer("answer"))},
        outer=nested,
        **{"if": a_group({"deep": a_step("deepest"), "deepest": a_step()}, inputs=FLAG)},
    )

    # Both ask the same of the same source, so one is enough.
    assert [condition.channels for condition in tasks["deep"].start.conditions] == [ANSWER]
    assert tasks["deep"].start.after == ("deepest",)


def test_two_different_conditions_are_both_kept():
    nested = a_group({"condition-2": a_branch("comp-if", outer("also"))}, inputs={**FLAG, "also": a_parameter()})
    task = {**a_condition_task("comp-outer", is_yes("flag"), flag=outer("answer"), also=outer("other"))}

    tasks = plan({"condition-1": task}, outer=nested, **{"if": a_group({"deep": a_step()}, inputs=FLAG)})

    assert [condition.channels for condition in tasks["deep"].start.conditions] == [
        ANSWER,
        {"flag": PipelineInput("other")},
    ]


def test_a_task_after_a_group_tolerates_its_skips_and_is_skipped_where_the_group_is():
    tasks = plan(
        {
            "first": a_step(),
            "condition-1": a_branch("comp-if", outer("answer"), "first"),
            "last": a_step("condition-1"),
        },
        **{"if": a_group({"inner": a_step()}, inputs=FLAG)},
    )

    assert tasks["last"].start.after == ("first", "inner")
    assert tasks["last"].start.tolerates == ("inner",)
    assert [condition.channels for condition in tasks["last"].start.conditions] == [ANSWER]


def test_a_task_after_branches_runs_whichever_of_them_ran():
    branches = a_group(
        {"condition-2": a_branch("comp-if", outer("flag")), "condition-3": a_branch("comp-else", outer("flag"))},
        inputs=FLAG,
    )

    tasks = plan(
        {
            "condition-branches-1": a_task("comp-branches", flag=outer("answer")),
            "last": a_step("condition-branches-1"),
        },
        branches=branches,
        **{"if": a_group({"yes": a_step()}, inputs=FLAG), "else": a_group({"no": a_step()}, inputs=FLAG)},
    )

    assert tasks["last"].start.after == ("no", "yes")
    assert tasks["last"].start.tolerates == ("no", "yes")
    assert tasks["last"].start.conditions == ()


def test_an_output_of_a_group_is_the_output_of_its_task_and_needs_it():
    tasks = plan(
        {
            "condition-1": a_branch("comp-if", outer("answer")),
            "last": a_step(text=output_of("condition-1", "out")),
        },
        **{"if": a_group({"inner": a_step(), "more": a_step()}, inputs=FLAG, outputs={"out": ("inner", "Output")})},
    )

    assert tasks["last"].inputs == {"text": TaskOutput("inner", "Output")}
    assert tasks["last"].start.after == ("inner", "more")
    assert tasks["last"].start.tolerates == ("more",)
    assert len(tasks["last"].start.conditions) == 1


def test_what_a_group_was_not_given_takes_the_groups_default():
    group = a_group({"inner": a_step(text=outer("note"))}, inputs={**FLAG, "note": a_parameter(defaultValue="d")})

    tasks = plan({"condition-1": a_branch("comp-if", outer("answer"))}, **{"if": group})

    assert tasks["inner"].inputs == {"text": Constant("d")}


def test_what_nobody_gave_is_not_given_on():
    group = a_group({"inner": a_step(text=outer("note"))}, inputs={**FLAG, "note": a_parameter(isOptional=True)})

    tasks = plan({"condition-1": a_branch("comp-if", outer("answer"))}, **{"if": group})

    assert tasks["inner"].inputs == {}


def test_a_condition_may_stand_at_a_task():
    tasks = plan({"only": a_condition_task("comp-step", is_yes("text"), text=constant("no"))})

    assert tasks["only"].start.conditions[0].channels == {"text": Constant("no")}


def test_names_that_occur_twice_get_their_groups_name_in_front():
    group = a_group({"inner": a_step(), "own": a_step()}, inputs=FLAG)

    tasks = plan(
        {
            "inner": a_step(),
            "condition-1": a_branch("comp-if", outer("answer")),
            "condition-2": a_branch("comp-if", outer("other")),
        },
        **{"if": group},
    )

    assert sorted(tasks) == [
        "condition-1-inner",
        "condition-1-own",
        "condition-2-inner",
        "condition-2-own",
        "inner",
    ]


def test_a_nested_pipeline_is_its_tasks():
    tasks = plan({"part": a_task("comp-part"), "last": a_step("part")}, part=a_group({"inner": a_step()}))

    assert sorted(tasks) == ["inner", "last"]
    assert tasks["last"].start == Start(after=("inner",), tolerates=("inner",))


def test_a_retry_of_a_group_is_one_of_each_task_that_has_none_of_its_own():
    own = {**a_step(), "retryPolicy": {"maxRetryCount": 5}}
    task = {**a_branch("comp-if", outer("answer")), "retryPolicy": {"maxRetryCount": 2}}

    tasks = plan({"c": task}, **{"if": a_group({"inner": a_step(), "own": own}, inputs=FLAG)})

    assert (tasks["inner"].retry.max_count, tasks["own"].retry.max_count) == (2, 5)


def test_a_group_in_itself_is_refused():
    group = a_group({"again": a_branch("comp-if", outer("flag"))}, inputs=FLAG)

    with pytest.raises(Mistake, match=r"again\.componentRef\.name: 'comp-if' would be part of itself"):
        plan({"c": a_branch("comp-if", outer("answer"))}, **{"if": group})


def test_two_tasks_of_one_name_in_the_plan_are_refused():
    group = a_group({"b": a_step()}, inputs=FLAG)
    tasks = {"a": a_branch("comp-if", outer("answer")), "a-b": a_step(), "b": a_step()}

    with pytest.raises(Mistake, match=r"2 tasks would be called 'a-b'; rename one of them"):
        plan(tasks, **{"if": group})


def test_tasks_that_wait_for_each_other_are_refused():
    with pytest.raises(Mistake, match=r"^root\.dag\.tasks: these tasks wait for each other: a, b"):
        plan({"a": a_step("b"), "b": a_step("a")})


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (is_yes("text"), "root.dag.tasks.only.triggerPolicy.condition: 'text' is not given to this task; given: none"),
        (is_yes("else"), "root.dag.tasks.only.triggerPolicy.condition: 'else' is not an input; inputs here: text"),
        ("inputs.parameter_values['text'] == 5", "root.dag.tasks.only.triggerPolicy.condition: a text is compared"),
    ],
)
def test_a_wrong_condition_is_refused_with_its_place(condition, message):
    with pytest.raises(Mistake) as caught:
        plan({"only": a_condition_task("comp-step", condition)})

    assert str(caught.value).startswith(message)


def test_sources_of_placeholders_in_resources_are_kept_for_the_cluster():
    channel = {"pipelinechannel--answer": outer("answer"), "cpu_limit": constant("never read")}
    spec = a_spec({"a": a_task("comp-step", **channel)}, {"comp-step": STEP}, parameters={"answer": a_parameter()})
    limit = {"resourceCpuLimit": "{{$.inputs.parameters['pipelinechannel--answer']}}"}

    (task,) = read_pipeline(with_field(spec, "deploymentSpec.executors.exec-step.container.resources", limit)).tasks

    assert task.inputs == {}
    assert task.platform == {"resources": limit}
    assert task.channels == {"pipelinechannel--answer": PipelineInput("answer")}
