"""What every engine owes: each shape's arguments and what has to come out, worked out by hand.

A table of its own, apart from the pipelines, because whoever reads it at collection must not pay for importing kfp.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.engines import artifact


@dataclass(frozen=True)
class Case:
    """One run of a pipeline.

    Attributes:
        pipeline: THEME.PIPELINE, a function of a module beside this one.
        outputs: The pipeline's outputs, if it succeeds.
        arguments: What the run is given.
        left: Texts of the files that the steps leave in a folder, by name; the folder is what the parameter `folder`
            of such a pipeline is given.
        status: How the run ends.

    """

    pipeline: str
    outputs: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    left: Mapping[str, str] | None = None
    status: str = "succeeded"


def one(value: Any) -> dict[str, Any]:
    """Return the outputs of a pipeline that returns one thing, which kfp calls `Output`."""
    return {"Output": value}


def text_file(text: str, metadata: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the form in which a file with a text is compared."""
    return artifact({"": text.encode()}, metadata)


TEXT = 'She said "no"; it\'s {not} a $placeholder\n\té 漢 \\n'
FOLDER = artifact({"a.txt": b"one", "below/b.txt": b"two"})
NESTED = {"a": [1, 2.5, {"b": 3}]}
NUMBERS = {"whole": 3, "large": 2**53, "half": 0.5, "nested": NESTED, "flag": True}
OTHER_NUMBERS = {"whole": -4, "large": 10**12, "half": 1.25, "nested": {"deep": {"list": [0, [1]]}}, "flag": False}

SEQUENCES = {
    "chain": Case("sequences.chain", one(3)),
    "chain, from an argument": Case("sequences.chain", one(13), {"start": 10}),
    "fan out": Case("sequences.fan_out", {"small": 11, "large": 101}),
    "diamond": Case("sequences.diamond", one(112)),
    "handed file": Case("sequences.handed_file", one("as it is\n")),
    "folder": Case("sequences.folder", one(FOLDER)),
    "nested pipeline": Case("sequences.nested", {"number": 3, "file": text_file("outer")}),
    "pipeline in a pipeline in a pipeline": Case("sequences.nested_twice", one(5)),
    "same step twice": Case("sequences.same_twice", one("['2', '2', '2']")),
    "several outputs": Case(
        "sequences.named_outputs", {"mean": 4.0, "words": ["one", "three"], "file": text_file("one\nthree")}
    ),
    "paths": Case("sequences.paths", one("by path\n")),
    "default through pipelines": Case("sequences.outer_default", {"number": 6, "file": text_file("inner")}),
    "program": Case("sequences.program", one('a "b" $c!'), {"text": 'a "b" $c'}),
    "environment": Case("sequences.environment", one("north é")),
    "long text": Case("sequences.long_text", one(150_000), {"length": 150_000}),
    # kfp compiles outputs inside a constant into placeholders inside texts.
    "list of outputs": Case("sequences.list_of_outputs", one("['2', '3']")),
}
BRANCHES = {
    "if, taken": Case("branches.if_alone", one(6), {"number": 5}, left={"large": "ran"}),
    "if, not taken": Case("branches.if_alone", one(5), {"number": 4}, left={}),
    "if on a text, equal": Case("branches.if_text", arguments={"word": "yes"}, left={"yes": "ran"}),
    "if on a text, other": Case("branches.if_text", arguments={"word": "no"}, left={"other": "ran"}),
    "if of three": Case("branches.if_elif_else", one("negative"), {"number": -1}),
    "elif of three": Case("branches.if_elif_else", one("zero"), {"number": 0}),
    "else of three": Case("branches.if_elif_else", one("positive"), {"number": 1}),
    "one of parameters, used": Case("branches.one_of_used", one(12), {"number": 1}),
    "one of parameters, the other used": Case("branches.one_of_used", one(103), {"number": 2}),
    "one of artifacts": Case("branches.one_of_artifact", one(text_file("one")), {"number": 1}),
    "one of artifacts, the other": Case("branches.one_of_artifact", one(text_file("other")), {"number": 2}),
    "one of artifacts, used": Case("branches.one_of_artifact_used", one("one"), {"number": 1}),
    "one of artifacts, the other used": Case("branches.one_of_artifact_used", one("other"), {"number": 2}),
    "if in if": Case("branches.if_in_if", arguments={"number": 1}, left={"small": "ran"}),
    "else in if": Case("branches.if_in_if", arguments={"number": 10}, left={"large": "ran"}),
    "if in if, neither": Case("branches.if_in_if", arguments={"number": 0}, left={}),
    "if in loop": Case("branches.if_in_loop", left={"not-a": "ran", "b": "b", "not-c": "ran"}),
    "one of in loop": Case("branches.one_of_in_loop", one("['other', 'two', 'other']")),
    "if on an item": Case("branches.if_on_item", left={"from-2": "ran", "from-3": "ran"}),
    "if on a pipeline's output": Case("branches.if_on_pipeline", arguments={"number": 1}, left={"one": "ran"}),
    "one of artifacts in loop": Case("branches.one_of_artifacts_in_loop", one(["one", "other"])),
    "one of in a pipeline": Case("branches.one_of_in_pipeline", one("it is one"), {"number": 1}),
    "one of in a pipeline, the other": Case("branches.one_of_in_pipeline", one("it is other"), {"number": 2}),
    "pipeline in if": Case("branches.pipeline_in_if", arguments={"number": 1}, left={"named": "one"}),
    "pipeline in if, not taken": Case("branches.pipeline_in_if", arguments={"number": 0}, left={}),
    "if on a fraction": Case("branches.if_on_fraction", arguments={"share": 0.5}, left={"half": "ran"}),
    "if on a flag": Case("branches.if_on_flag", arguments={"flag": True}, left={"on": "ran"}),
    "if on a flag, off": Case("branches.if_on_flag", arguments={"flag": False}, left={"off": "ran"}),
    "after what ran": Case("branches.after_skipped", one(1), {"number": 1}, left={"first": "ran", "second": "ran"}),
    "after what was skipped": Case("branches.after_skipped", one(2), {"number": 2}, left={}),
    "loop in if": Case("branches.loop_in_if", arguments={"number": 1}, left={"a": "ran", "b": "ran"}),
    "loop in if, not taken": Case("branches.loop_in_if", arguments={"number": 2}, left={}),
}
LOOPS = {
    "loop": Case("loops.loop", {"numbers": [2, 3, 4], "spelled": "[2, 3, 4]", "total": 9}),
    "loop over a result": Case(
        "loops.loop_over_result", {"numbers": [11, 12], "spelled": "[11, 12]", "total": 23}, {"n": 2}
    ),
    "loop over nothing": Case("loops.loop_over_result", {"numbers": [], "spelled": "[]", "total": 0}, {"n": 0}),
    "loop over a parameter": Case("loops.loop_over_parameter", one(["b", "", "a b"]), {"items": ["b", "", "a b"]}),
    "loop over an empty parameter": Case("loops.loop_over_parameter", one([]), {"items": []}),
    "loop, one by one": Case("loops.loop_one_by_one", one([4, 2, 3])),
    "chain in loop": Case("loops.chain_in_loop", one([17, 27])),
    "loop in loop": Case("loops.loop_in_loop", one("[[4, 5], [5, 6]]")),
    "loop in loop, over results": Case("loops.loop_in_loop_over_results", one([[102], [103, 104]]), {"n": 2}),
    "nested collected": Case("loops.nested_collected", one([[11, 21, 31], [12, 22, 32]])),
    "pipeline in loop": Case("loops.pipeline_in_loop", one([1, 3, 6])),
    "collected artifacts": Case("loops.collected_artifacts", one(text_file("one two three"))),
    "list of artifacts": Case("loops.files", one([text_file("one"), text_file("two")])),
    "handed list of artifacts": Case("loops.handed_files", one(text_file("one two"))),
    "loop over artifacts": Case("loops.loop_over_artifacts", one(["one", "two"])),
    "loop over fields": Case("loops.loop_over_fields", one([11, 22])),
    "loop over fields of a parameter": Case(
        "loops.loop_over_parameter_fields",
        one(["x", "null"]),
        {"items": [{"depot": "x", "km": 1}, {"depot": "null", "km": 2}]},
    ),
    "loop over the same": Case("loops.loop_over_same", one([2, 2, 2])),
    "loop in loop in loop": Case("loops.loop_in_loop_in_loop", one([[[111, 112]], [[211, 212]]])),
    "loop over an item": Case("loops.loop_over_item", one([[2, 3], [], [4]]), {"items": [[1, 2], [], [3]]}),
    "file from around a loop": Case("loops.file_in_loop", one(["same", "same"])),
    "loop over texts": Case("loops.loop_over_texts", one(['"', "it's", "{}", "a\nb", "é漢", "null", "1"])),
    "loop over fractions": Case("loops.loop_over_fractions", one([0.25, 0.625])),
    "loop over lists": Case("loops.loop_over_lists", one(["[1, 2]", "[]"]), {"items": [[1, 2], []]}),
    "loop over fields of a result": Case("loops.loop_over_result_fields", one(["north", "south"])),
    "two loops on one another": Case("loops.two_loops_on_one_another", one(210)),
}
ACCIDENTS = {
    "exit after success": Case("accidents.exit_after_success", left={"body": "ran", "exit": "ran"}),
    "exit after failure": Case("accidents.exit_after_failure", left={"exit": "ran"}, status="failed"),
    "exit told of success": Case("accidents.exit_told_of_success", left={"body": "ran", "status": "done"}),
    "exit told of failure": Case("accidents.exit_told_of_failure", left={"status": "failed"}, status="failed"),
    "in spite of failure": Case("accidents.in_spite_of_failure", left={"said": "by default"}, status="failed"),
    "in spite of nothing": Case("accidents.in_spite_of_nothing", one("given"), left={"fine": "given"}),
    "failure": Case("accidents.failure", left={}, status="failed"),
    "failure in a pipeline": Case("accidents.failure_in_pipeline", left={}, status="failed"),
    "failure in a loop": Case("accidents.failure_in_loop", left={}, status="failed"),
    "exit after a pipeline fails": Case("accidents.exit_after_pipeline", left={"exit": "ran"}, status="failed"),
    "exit after a loop": Case("accidents.exit_after_loop", left={"a": "ran", "b": "ran", "exit": "ran"}),
    "retry in a loop": Case("accidents.retry_in_loop", one([7]), left={"attempts": "3"}),
    "retry": Case("accidents.retry", one(7), left={"attempts": "3"}),
    "retry, too few": Case("accidents.retry_too_short", left={"attempts": "2"}, status="failed"),
}
VALUES = {
    "optional, given": Case("values.optional", one("('x', 5)"), {"value": "x", "number": 5}),
    "optional, not given": Case("values.optional", one("(None, 4)")),
    "optional, empty": Case("values.optional", one("('', 4)"), {"value": ""}),
    "optional, null": Case("values.optional_list", one("None"), {"value": None}),
    "optional through pipelines": Case("values.optional_through_pipelines", one("('x', 3)"), {"value": "x"}),
    "optional through pipelines, not given": Case("values.optional_through_pipelines", one("(None, 3)")),
    "left out": Case("values.left_out", one("(None, 3)")),
    "optional artifact, left out": Case("values.no_file", one(False)),
    "values in a text": Case("values.in_text", one("Ann has 3, then 4"), {"name": "Ann", "n": 3}),
    "numbers by default": Case("values.numbers_given", NUMBERS),
    "numbers given": Case("values.numbers_given", OTHER_NUMBERS, OTHER_NUMBERS),
    "numbers in the spec": Case(
        "values.numbers_in_spec",
        one('{"deep": {"large": 9007199254740992}, "half": 0.5, "list": [1, 2, 3], "whole": 3}'),
    ),
    "text given": Case("values.text_given", {"text": TEXT, "length": len(TEXT)}, {"text": TEXT}),
    "text that looks like JSON": Case("values.text_given", {"text": "[1, 2]", "length": 6}, {"text": "[1, 2]"}),
    "empty text": Case("values.text_given", {"text": "", "length": 0}, {"text": ""}),
    "text in the spec": Case("values.text_in_spec", one(TEXT)),
    "text with placeholders": Case(
        "values.text_given",
        {"text": "{{$.inputs.parameters['text']}} {{x}} {{$}}", "length": 43},
        {"text": "{{$.inputs.parameters['text']}} {{x}} {{$}}"},
    ),
    "whole number where a fraction may be": Case("values.whole_fraction", one("3.0")),
    "nothing in lists and objects": Case("values.no_settings", {"items": "[]", "settings": "{}"}),
    "list and object": Case(
        "values.list_given",
        {"items": "[1, 'é', None, [True]]", "settings": '{"a": {"b": [0.5]}}'},
        {"items": [1, "é", None, [True]], "settings": {"a": {"b": [0.5]}}},
    ),
    "empty list and object": Case(
        "values.list_given", {"items": "[]", "settings": "{}"}, {"items": [], "settings": {}}
    ),
    "metrics": Case("values.metrics", one(artifact({}, {"auc": 0.75, "rows": 3}))),
    "metadata": Case(
        "values.metadata",
        {"file": text_file("tagged", {"rows": 3, "source": "by hand"}), "read": "(3, 'by hand')"},
    ),
    "path of its own": Case("values.own_path", one("found")),
}
CASES = SEQUENCES | BRANCHES | LOOPS | ACCIDENTS | VALUES

# The cases that every run of the tests puts through Argosy: each construct once. The others, and every other engine,
# take longer than a run at one's elbow should.
ALWAYS = {
    "argosy": {
        "chain", "nested pipeline",
        "if, not taken", "elif of three", "one of artifacts, used", "one of in loop",
        "loop over nothing", "loop in loop, over results", "pipeline in loop", "collected artifacts",
        "loop over artifacts",
        "exit told of failure", "in spite of failure", "retry",
        "optional through pipelines, not given", "text given",
    },
    "argo simulator": {"chain", "elif of three", "loop over nothing", "collected artifacts", "text given"},
}  # fmt: skip
"""Which cases run in the default suite, by engine; all others are slow."""

_FLOATS = "whole numbers inside lists, objects, texts and metadata arrive as floats"
_ONE_OF = "refuses OneOf over artifacts: Expected 1 artifact in ArtifactSelectorSpec"
_EMPTY = "an empty loop has no outputs, so that what collects them fails"
_ITEM = "every input of a loop's body is given the loop's item, without a word: a wrong result"
_NULL = "null is no value that it accepts"
_KFP_LOCAL = {
    "list of outputs": _FLOATS,
    "same step twice": _FLOATS,
    "program": "runs Python components alone outside Docker",
    "long text": "hands all arguments over in one element of a command line, which Linux keeps below 128 KiB",
    "if on an item": _FLOATS,
    "one of artifacts in loop": _ONE_OF,
    "one of artifacts": _ONE_OF,
    "one of artifacts, the other": _ONE_OF,
    "one of artifacts, used": _ONE_OF,
    "one of artifacts, the other used": _ONE_OF,
    "loop": _FLOATS,
    "loop over a result": _FLOATS,
    "loop over nothing": _EMPTY,
    "loop over an empty parameter": _EMPTY,
    "chain in loop": _ITEM,
    "loop in loop": _FLOATS,
    "loop in loop, over results": _ITEM,
    "pipeline in loop": _FLOATS,
    "loop over lists": _FLOATS,
    "loop in loop in loop": _ITEM,
    "loop over an item": "a loop over a loop's item runs over the outer list again",
    "text with placeholders": "resolves placeholders in the texts that it is given",
    "two loops on one another": _FLOATS,
    "in spite of failure": "a failed task has no outputs, so that what takes one by default instead fails",
    "optional, not given": _NULL,
    "optional, null": _NULL,
    "optional through pipelines, not given": _NULL,
    "values in a text": _FLOATS,
    "numbers by default": _FLOATS,
    "numbers given": _FLOATS,
    "numbers in the spec": _FLOATS,
    "list and object": _NULL,
    "metrics": _FLOATS,
    "metadata": _FLOATS,
    "path of its own": "does not look where set_path says",
}
# What the launcher in front of each step puts right: types, texts that were set aside, paths.
_CURED_BY_WRAPPING = {
    "list of outputs", "same step twice", "if on an item", "values in a text", "numbers in the spec", "path of its own",
    "loop", "loop over a result", "loop in loop", "loop over lists", "pipeline in loop", "two loops on one another",
}  # fmt: skip
_WRAPPED = {name: reason for name, reason in _KFP_LOCAL.items() if name not in _CURED_BY_WRAPPING}
# What an engine does otherwise, measured with kfp 2.17.0; the tests insist that it still does.
KNOWN_FAULTS = {
    (engine, name): reason
    for engine, faults in (("kfp.local", _KFP_LOCAL), ("wrapped kfp.local", _WRAPPED))
    for name, reason in faults.items()
}

# The cases whose wrapped steps are given what they should be, even where their pipeline's outputs arrive as floats.
SOUND_WRAPPED = [
    name for name, case in CASES.items() if case.status == "succeeded" and _WRAPPED.get(name, _FLOATS) == _FLOATS
]
# What is told how the run ended is left to Kubeflow as it is, and runs every time.
NEVER_WRAPPED = {"exit told of success": {"status": "done"}}
