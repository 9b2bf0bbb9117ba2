"""Draw docs/conformance.md; `python -m tests.fakes.conformance_page` runs the whole corpus first."""

import json
import re
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from argosy.local.refusals import REFUSALS
from argosy.spec.read import read_pipeline
from tests.fakes.conformance import Case, cases, constructs, corpus, disagreements, run_case

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
CONSTRUCTS = Path(__file__).parents[1] / "contract" / "constructs.toml"
HEAD = """\
# Conformance

Kubeflow's own compiled pipelines, run by Argosy on one machine. They are test data of
[Kubeflow Pipelines](https://github.com/kubeflow/pipelines) (`test_data/sdk_compiled_pipelines`, Apache-2.0), written by
the makers of the format. The files are not part of this project: `ARGOSY_CORPUS` names the folder they lie in.

`make conformance` runs each file twice, in a project of its own with an empty store, compares values, texts and
statuses with [a table](../tests/contract/conformance.toml) that was written by hand from the sources of the components,
and draws this page. The same runs are tests: [`test_conformance.py`](../tests/contract/test_conformance.py). Nothing is
installed there but Argosy's environment and a shell, so that a refusal does not depend on what else a machine has.

| | files |
|---|---|
"""


def draw(found: Mapping[str, Sequence[str]], folder: Path) -> str:
    """Return the page of the corpus in a folder, given what each file came to otherwise than the table says."""
    specs = read_specs(folder)
    uncached = {file: _uncached(case, folder) for file, case in cases().items() if case.expected and file in specs}
    valid = [case for case in cases().values() if case.kind != "rejected"]
    parts = [
        HEAD + _headline(valid, found, uncached),
        "## Constructs\n\nHow many of the files use one, and how many of these are executed.\n\n"
        + _constructs(valid, specs),
        "## Files\n\n"
        + FILES
        + "".join(_row(case, found[case.file], uncached[case.file]) for case in valid if case.kind != "refused"),
        "## Refused\n\nBefore anything starts, with the step, what was got, why, and what to do instead.\n\n"
        + _refused(valid),
        "## Rejected\n\n" + _rejected(),
        "## What was changed\n\nOne text in each of these files is replaced before the runs:\n\n" + _patched(valid),
    ]
    return "\n".join(parts)


def _headline(valid: Sequence[Case], found: Mapping[str, Sequence[str]], uncached: Mapping[str, Sequence[str]]) -> str:
    right = [case for case in valid if not found[case.file]]
    ended = [case for case in right if case.kind != "refused"]
    n_values = sum(max(expected.n_values for expected in case.expected) for case in ended)
    nothing = [case for case in ended if not uncached[case.file] and not case.again]
    moved = [case for case in ended if case.again]
    rejected = [case for case in cases().values() if case.kind == "rejected"]
    lines = [
        ("valid", len(valid)),
        (f"**executed**, and all {n_values} values, texts and errors are those expected", len(ended)),
        ("- of these, succeed", sum(case.kind == "executes" for case in ended)),
        (
            "- of these, fail where they fail in Kubeflow, and their exit tasks run",
            sum(c.kind == "fails" for c in ended),
        ),
        ("- executed again: nothing runs", len(nothing)),
        ("- executed again: only what may not be cached runs", len(ended) - len(nothing) - len(moved)),
        ("- executed again: beside it, what is given something else than before", len(moved)),
        ("**refused by name**, before anything starts", sum(case.kind == "refused" for case in right)),
        ("**otherwise than expected**", len(valid) - len(right)),
        (
            "not valid, and **rejected** with the place",
            f"{sum(not found[c.file] for c in rejected)} of {len(rejected)}",
        ),
    ]
    return "".join(f"| {what} | {n} |\n" for what, n in lines)


def _constructs(valid: Sequence[Case], specs: Mapping[str, str]) -> str:
    lines = ["| construct | here | files | executed |\n|---|---|---|---|\n"]
    for row in tomllib.loads(CONSTRUCTS.read_text(encoding="utf-8"))["construct"]:
        using = [case for case in valid if re.search(row["pattern"], specs[case.file])]
        ended = sum(case.kind != "refused" for case in using)
        lines.append(f"| {row['name']} | {row['here']} | {len(using)} | {ended} |\n")
    return "".join(lines)


FILES = """\
*Steps* end well; a pipeline that throws a coin has one of several ends. *Values* are outputs, texts in logs, errors and
files that were compared; some steps compare for themselves. *Again* is what a second run executes: a step may be cached
unless the spec says otherwise, it failed, or it is given a secret, a volume, or how other steps ended.

| file | steps | end | values | again |
|---|---|---|---|---|
"""


def _row(case: Case, found: Sequence[str], uncached: Sequence[str]) -> str:
    steps = " or ".join(str(n) for n in sorted({expected.runs for expected in case.expected}))
    values = max(expected.n_values for expected in case.expected)
    fails = case.expected[0].fails
    end = f"{', '.join(fails)} fails, as in Kubeflow" if fails else "succeeds"
    if found:
        end = f"**otherwise**: {case.disagrees or found[0]}"
    held = " and ".join([*([str(values)] if values else []), *(["its own"] if case.asserts else [])])
    again = [*uncached, *(f"{name} (given something else)" for name in case.again)]
    return f"| {_name(case)} | {steps} | {end} | {held} | {', '.join(again) or 'nothing'} |\n"


def _uncached(case: Case, folder: Path) -> list[str]:
    """Return the steps that a second run executes by what the spec says, and those that failed."""
    tasks = read_pipeline(folder / case.file).tasks
    skipped = set.intersection(*({*expected.skipped} for expected in case.expected))
    return [t.name for t in tasks if (not t.cache or t.name in case.expected[0].fails) and t.name not in skipped]


def _name(case: Case) -> str:
    return case.file.removeprefix("valid/").removesuffix(".yaml")


def _refused(valid: Sequence[Case]) -> str:
    lines = ["| construct | why | instead | files |\n|---|---|---|---|\n"]
    for construct, (reason, instead) in REFUSALS.items():
        files = [_name(case) for case in valid if case.kind == "refused" and construct in constructs(case)]
        if files:
            lines.append(f"| {construct} | {reason} | {instead} | {'<br>'.join(files)} |\n")
    return "".join(lines)


def _rejected() -> str:
    found = [case for case in cases().values() if case.kind == "rejected"]
    return "| file | said |\n|---|---|\n" + "".join(f"| {_name(c)} | `{'; '.join(c.refused)}` |\n" for c in found)


def _patched(valid: Sequence[Case]) -> str:
    lines = ["| file | text | becomes | because |\n|---|---|---|---|\n"]
    for case in valid:
        lines += [f"| {_name(case)} | `{old}` | `{new}` | {case.patched} |\n" for old, new in case.patch]
    return "".join(lines)


def read_specs(folder: Path) -> dict[str, str]:
    """Return the JSON text of every valid file."""
    valid = [case.file for case in cases().values() if case.kind != "rejected"]
    texts = {file: (folder / file).read_text(encoding="utf-8") for file in valid}
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return {file: json.dumps(list(yaml.load_all(text, loader)), sort_keys=True) for file, text in texts.items()}


def run_all(folder: Path) -> dict[str, list[str]]:
    """Run every file; return what came out otherwise than the table says."""
    found = {}
    for case in cases().values():
        if not case.is_judged_here:
            raise SystemExit(f"{case.file}: the page is drawn where `{case.where}` holds")
        with tempfile.TemporaryDirectory() as place:
            found[case.file] = disagreements(case, run_case(case, Path(place), corpus=folder))
    return found


def main() -> int:
    """Write the page; the exit code is 1 where a file came out otherwise and the table does not say so."""
    folder = corpus()
    if folder is None:
        raise SystemExit("ARGOSY_CORPUS is not set; it names the folder of compiled pipelines")
    found = run_all(folder)
    PAGE.write_text(draw(found, folder), encoding="utf-8")
    unknown = {file: lines for file, lines in found.items() if lines and not cases()[file].disagrees}
    for file, lines in unknown.items():
        sys.stderr.writelines(f"{file}: {line}\n" for line in lines)
    return int(bool(unknown))


if __name__ == "__main__":
    sys.exit(main())
