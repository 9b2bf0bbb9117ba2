import pytest

from argosy.errors import Mistake
from argosy.spec.model import (
    ArtifactSlot,
    Constant,
    FinalStatus,
    FirstOf,
    Loop,
    LoopItem,
    Parameter,
    PipelineInput,
    RunValue,
    Start,
    TaskOutput,
)
from argosy.spec.read import read_pipeline
from tests.fakes.groups import FLAG, ITEM, STEP, a_branch, a_loop, a_round, a_step, by_name, is_yes, pipeline
from tests.fakes.specs import (
    a_component,
    a_condition_task,
    a_group,
    a_parameter,
    a_spec,
    a_task,
    an_artifact,
    artifact_of,
    constant,
    outer,
    output_of,
    with_field,
)


def plan(tasks, **groups):
    return by_name(pipeline(tasks, **groups))


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


def test_a_loop_waits_and_its_tasks_stand_in_it():
    found = pipeline(
        {"first": a_step(), "loop": a_loop("comp-body", "[1, 2]", "first", limit=3)},
        body=a_round({"inner": a_step(text=outer(ITEM))}),
    )

    assert found.loops == {
        "loop": Loop("loop", Constant([1, 2]), Parameter(ITEM, "STRING"), start=Start(after=("first",)), limit=3)
    }
    assert by_name(found)["inner"].loops == ("loop",)
    assert by_name(found)["inner"].start == Start()
    assert by_name(found)["inner"].inputs == {"text": LoopItem("loop")}


def test_a_loop_over_an_output_waits_for_its_task():
    found = pipeline(
        {"list": a_task("comp-list"), "loop": a_loop("comp-body", "list", list=output_of("list"))},
        body=a_round({"inner": a_step()}, {"list": a_parameter("LIST")}),
    )

    assert found.loops["loop"].items == TaskOutput("list", "Output")
    assert found.loops["loop"].start == Start(after=("list",))


def test_a_loop_over_artifacts_has_one_in_each_round():
    body = a_group({"inner": a_step()}, inputs={ITEM: an_artifact(), "files": an_artifact(isArtifactList=True)})
    loop = a_loop("comp-body", "files", artifacts=True, files=artifact_of("list", "files"))

    found = pipeline({"list": a_task("comp-list"), "loop": loop}, body=body)

    assert found.loops["loop"].items == TaskOutput("list", "files")
    assert found.loops["loop"].item == ArtifactSlot(ITEM, "system.Dataset")


def test_a_loop_in_a_loop_takes_the_outer_item_and_is_named_by_its_path():
    found = pipeline(
        {"outer": a_loop("comp-row", "[[1], [2]]")},
        row=a_round({"cells": a_loop("comp-cell", "row", row=outer(ITEM))}),
        cell=a_round({"inner": a_step(text=outer(ITEM), **{})}, {"row": a_parameter("LIST")}),
    )

    assert found.loops["outer/cells"].items == LoopItem("outer")
    assert found.loops["outer/cells"].loops == ("outer",)
    assert by_name(found)["inner"].loops == ("outer", "outer/cells")
    assert by_name(found)["inner"].inputs == {"text": LoopItem("outer/cells")}


def test_a_condition_around_a_loop_is_the_loops_and_not_its_tasks():
    found = pipeline(
        {"condition-1": a_branch("comp-if", outer("answer")), "last": a_step("condition-1")},
        **{"if": a_group({"loop": a_loop("comp-body")}, inputs=FLAG)},
        body=a_round({"inner": a_step()}),
    )

    assert [condition.channels for condition in found.loops["condition-1/loop"].start.conditions] == [ANSWER]
    assert by_name(found)["inner"].start == Start()
    assert [condition.channels for condition in by_name(found)["last"].start.conditions] == [ANSWER]


def test_a_condition_in_a_loop_reads_the_item_of_the_round():
    found = pipeline(
        {"loop": a_loop("comp-body", '["yes", "no"]')},
        body=a_round({"condition-1": a_branch("comp-if", outer(ITEM))}),
        **{"if": a_group({"inner": a_step()}, inputs=FLAG)},
    )

    (condition,) = by_name(found)["inner"].start.conditions
    assert condition.channels == {"flag": LoopItem("loop")}


def test_what_is_collected_of_a_loop_is_the_output_of_its_task_and_a_list():
    body = a_round({"inner": a_step()}, outputs={"all": ("inner", "Output")})
    body = with_field(body, "outputDefinitions.parameters.all", a_parameter("LIST"))
    take = a_component("exec-take", inputs={"texts": a_parameter("LIST")})

    found = pipeline(
        {"loop": a_loop("comp-body"), "take": a_task("comp-take", texts=output_of("loop", "all"))}, body=body, take=take
    )

    assert by_name(found)["take"].inputs == {"texts": TaskOutput("inner", "Output")}
    assert by_name(found)["take"].start.after == ("inner",)


def test_a_loop_takes_what_a_sibling_loop_gave():
    first = a_round({"one": a_step()}, outputs={"all": ("one", "Output")})
    first = with_field(first, "outputDefinitions.parameters.all", a_parameter("LIST"))
    second = a_round({"two": a_step(text=outer("all"))}, {"all": a_parameter("LIST")})

    found = pipeline(
        {"first": a_loop("comp-first"), "second": a_loop("comp-second", all=output_of("first", "all"))},
        first=first,
        second=second,
    )

    assert by_name(found)["two"].inputs == {"text": TaskOutput("one", "Output")}
    assert by_name(found)["two"].loops == ("second",)
    assert found.loops["second"].start == Start(after=("one",), tolerates=("one",))


def test_what_comes_after_a_loop_is_skipped_where_its_items_are():
    found = pipeline(
        {
            "condition-1": a_branch("comp-if", outer("answer")),
            "loop": a_loop("comp-body", "list", list=output_of("condition-1", "out")),
            "last": a_step("loop"),
        },
        **{"if": {**a_group({"list": a_task("comp-list")}, inputs=FLAG), **an_output_list()}},
        body=a_round({"inner": a_step()}, {"list": a_parameter("LIST")}),
    )

    assert by_name(found)["last"].start.after == ("inner", "list")
    assert by_name(found)["last"].start.tolerates == ("inner",)


def an_output_list():
    selected = {"valueFromParameter": {"producerSubtask": "list", "outputParameterKey": "Output"}}
    dag = {"tasks": {"list": a_task("comp-list")}, "outputs": {"parameters": {"out": selected}}}
    return {"dag": dag, "outputDefinitions": {"parameters": {"out": a_parameter("LIST")}}}


def one_of(*tasks):
    selectors = [{"producerSubtask": task, "outputParameterKey": "out"} for task in tasks]
    return {"parameters": {"one": {"valueFromOneof": {"parameterSelectors": selectors}}}}


def branches():
    """Return the components of an if and an else, of which the first that ran gives the output."""
    both = a_group(
        {"condition-1": a_branch("comp-if", outer("flag")), "condition-2": a_branch("comp-else", outer("flag"))},
        inputs=FLAG,
    )
    both["dag"]["outputs"] = one_of("condition-1", "condition-2")
    both["outputDefinitions"] = {"parameters": {"one": a_parameter()}}
    yes = a_group({"yes": a_step()}, inputs=FLAG, outputs={"out": ("yes", "Output")})
    no = a_group({"no": a_step()}, inputs=FLAG, outputs={"out": ("no", "Output")})
    return {"both": both, "if": yes, "else": no}


CHOICE = (TaskOutput("yes", "Output"), TaskOutput("no", "Output"))


def test_a_choice_tolerates_the_branch_that_was_skipped_and_needs_one():
    found = pipeline(
        {"both": a_task("comp-both", flag=outer("answer")), "last": a_step(text=output_of("both", "one"))}, **branches()
    )

    assert by_name(found)["last"].inputs == {"text": FirstOf(CHOICE)}
    assert by_name(found)["last"].start == Start(after=("no", "yes"), tolerates=("no", "yes"), one_of=(("no", "yes"),))


def test_a_choice_in_a_loop_is_collected_by_rounds():
    body = a_round({"both": a_task("comp-both", flag=outer(ITEM))}, outputs={"all": ("both", "one")})
    body = with_field(body, "outputDefinitions.parameters.all", a_parameter("LIST"))

    found = pipeline(
        {"loop": a_loop("comp-body"), "last": a_step(text=output_of("loop", "all"))}, body=body, **branches()
    )

    assert by_name(found)["last"].inputs == {"text": FirstOf(CHOICE, loops=("loop",))}


ENDED = {"triggerPolicy": {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}}


def after_all(task, *others):
    return {**task, "dependentTasks": list(others), **ENDED}


def test_an_exit_handler_starts_however_its_group_ended_and_is_never_reused():
    tell = a_component("exec-tell", inputs={"status": a_parameter("TASK_FINAL_STATUS", isOptional=True)})
    status = {"taskFinalStatus": {"producerTask": "body"}}

    found = pipeline(
        {
            "body": a_task("comp-body"),
            "tell": after_all(a_task("comp-tell", status=status), "body"),
        },
        body=a_group({"one": a_step(), "two": a_step("one")}),
        tell=tell,
    )

    assert by_name(found)["tell"].start == Start(after=("one", "two"), survives=("one", "two"))
    assert by_name(found)["tell"].inputs == {"status": FinalStatus("body", ("one", "two"))}
    assert not by_name(found)["tell"].cache


def test_an_exit_handler_may_be_a_nested_pipeline_or_hold_a_loop():
    found = pipeline(
        {
            "body": a_step(),
            "exit": after_all(a_task("comp-exit"), "body"),
            "last": a_step("exit"),
        },
        exit=a_group({"tell": a_step(), "each": a_loop("comp-each")}),
        each=a_round({"inner": a_step()}),
    )

    assert by_name(found)["tell"].start == Start(after=("body",), survives=("body",))
    assert found.loops["exit/each"].start == Start(after=("body",), survives=("body",))
    assert by_name(found)["inner"].start == Start(after=("body",), survives=("body",))
    # What a group survives, those after it need not.
    assert by_name(found)["last"].start == Start(after=("inner", "tell"), tolerates=("inner", "tell"))


def test_a_task_that_ignores_failures_takes_what_there_is():
    found = pipeline({"one": a_step(), "two": {**a_step(text=output_of("one")), **ENDED}, "three": a_step("two")})

    assert by_name(found)["two"].start == Start(after=("one",), survives=("one",))
    assert by_name(found)["three"].start == Start(after=("two",))


def test_a_nested_pipeline_may_be_used_twice():
    part = a_group({"inner": a_step(text=outer("note"))}, inputs={"note": a_parameter()})

    found = pipeline(
        {"one": a_task("comp-part", note=constant("a")), "two": a_task("comp-part", note=outer("answer"))}, part=part
    )

    assert {task.name: task.inputs["text"] for task in found.tasks} == {
        "one-inner": Constant("a"),
        "two-inner": PipelineInput("answer"),
    }


def test_what_the_platform_takes_from_the_run_is_found_in_the_plan():
    claim = {"taskOutputParameter": {"producerTask": "first", "outputParameterKey": "Output"}}
    mount = {"pvcMount": [{"mountPath": "/data", "pvcNameParameter": claim}], "nodeSelector": {"n": outer("answer")}}
    spec = a_spec(
        {"first": a_step(), "next": a_task("comp-next")}, {"comp-step": STEP, "comp-next": a_component("exec-next")}
    )
    spec["root"]["inputDefinitions"] = {"parameters": {"answer": a_parameter()}}
    spec["root"]["dag"]["tasks"]["next"]["dependentTasks"] = ["first"]
    platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": {"exec-next": mount}}}}}

    task = by_name(read_pipeline({"pipeline_spec": spec, "platform_spec": platform}))["next"]

    assert task.channels == {"first.Output": TaskOutput("first", "Output"), "answer": PipelineInput("answer")}
    assert task.start.after == ("first",)
    assert not task.cache


def test_a_task_that_is_given_what_only_the_run_knows_is_not_reused():
    told = constant("run {{$.pipeline_job_name}}")

    found = by_name(
        pipeline(
            {
                "told": a_step(text=told),
                "untold": a_step(text=constant("run")),
                "group": a_task("comp-group", note=told),
            },
            group=a_group({"inner": a_step(text=outer("note"))}, inputs={"note": a_parameter()}),
        )
    )

    assert {name: task.cache for name, task in found.items()} == {"told": False, "untold": True, "inner": False}
    assert found["inner"].inputs["text"].channels == {"$.pipeline_job_name": RunValue("pipeline_job_name")}
