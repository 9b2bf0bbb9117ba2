"""What becomes of each construct of a pipeline on Argo, and what is refused: the reason, and what to write instead."""

from __future__ import annotations

from typing import Final

from argosy.errors import Unsupported

FORMS: Final = {
    "pipeline": ("`Workflow` with a `generateName`, a DAG template `main`", "or a template or cron, by `--kind`"),
    "pipeline parameter": ("`arguments.parameters` of the workflow", "JSON text: a text stands in double quotes"),
    "artifact given to a pipeline": ("a parameter", "the digest of an artifact in the store"),
    "task": ("a task of the DAG", "one pod"),
    "Python component": ("a container template", "its source is a raw artifact; equal components share a template"),
    "program": (
        "a container template; the program runs in a sidecar, the launcher beside it",
        "in one container where the image is known to hold the launcher: that of a Python component, or "
        "[tool.argosy] image; a sidecar's image has to hold `sh`",
    ),
    "importer": (
        "a container template",
        "looks in every run; the image is that of a Python component, or [tool.argosy] image",
    ),
    "value, artifact": ("output and input parameters", "JSON text, or a digest; no artifact repository is needed"),
    "nested pipeline": ("nothing", "its tasks stand in the DAG around it"),
    "If, Elif, Else": ("`when` of each task", "an expression over typed values"),
    "OneOf": ("an expression", "the first output that is there"),
    "ParallelFor": (
        "two DAG templates: the loop and its round",
        "a skipped loop is skipped, an empty one has succeeded",
    ),
    "ParallelFor over artifacts": ("as over values", "the items are digests"),
    "parallelism": ("`parallelism` of the loop's template", ""),
    "Collected": ("outputs of the loop's templates", "absent rounds are left out; artifacts come as one flat list"),
    "ExitHandler": ("`depends` on any end", "a guard fails the run that would otherwise look successful"),
    "ignore_upstream_failure": ("`depends` on any end", "with the same guard"),
    "PipelineTaskFinalStatus": ("the status of tasks", "without the message of what failed"),
    "set_retry": (
        "`retryStrategy`, `retryPolicy: Always`",
        "not for exit codes 2 and 3; without one, lost pods and outages are tried again twice",
    ),
    "set_timeout": ("`activeDeadlineSeconds` of the template", ""),
    "set_caching_options": ("a word to the launcher", "Argo's memoization is not used"),
    "cpu, memory, accelerator": (
        "`resources` of the container",
        "a request is as the limit where none is given; what the run gives comes in by `podSpecPatch`",
    ),
    "node selector, tolerations, affinity": ("fields of the template", "as constants"),
    "labels and annotations of the pod": ("`metadata` of the template", ""),
    "user and group": ("`securityContext` of the container", "not those of root; the rest is the restricted profile"),
    "secret, config map, field of the pod as variables": ("`env` with a reference", "such a step is never reused"),
    "secret, config map as volume": ("`volumes` of the template", "such a step is never reused"),
    "init container": ("`initContainers` of the template", "such a step is never reused: no key holds what it does"),
    "CreatePVC, DeletePVC": (
        "`resource` templates that apply and delete",
        "the service account has to be allowed to; the name is `WORKFLOW` with the suffix, or the one that is given",
    ),
    "claim of storage as volume": (
        "`volumes` of the template, and a group that may write",
        "such a step is never reused: no key holds what is on it",
    ),
    "empty folder, shared memory, ephemeral volume": ("`volumes` of the template", "empty at its start, like scratch"),
    "names of secrets, config maps and claims from the run": (
        "an input parameter of the template",
        "plain text, that of a parameter or of one step's output",
    ),
    "image pull policy and secrets": ("`imagePullPolicy`; `imagePullSecrets` of the workflow", ""),
    "environment": ("`env`", "`$` is no variable in it: `$$` and `$(NAME)` stay what they are"),
    "schedule": (
        "`CronWorkflow`",
        "by `--kind` and `--schedule`; the input `as_of` is the scheduled time in UTC, where nobody gives another",
    ),
    "nodes that are emptied": ("`podDisruptionBudget` of the workflow", "they wait for the pods of a run"),
    "time to live of the run": ("`ttlStrategy`", "a week where nothing is said"),
    "names of the run": ("variables of the workflow", "a step that is told one is never reused"),
    "workspace": (
        "`volumeClaimTemplates` of the workflow, mounted where its path may be known",
        "below the run's name, so that no step takes what another run left there",
    ),
}  # fmt: skip
"""Each construct with its form on Argo and a note."""

REFUSALS: Final = {
    "program": (
        "the launcher runs beside it, and no Python component of the pipeline names an image that holds it",
        "name one in [tool.argosy] image",
    ),
    "command of the image": ("what an image starts is not known here", "write the command down in the component"),
    "importer": (
        "its pod needs the launcher, and no Python component of the pipeline names an image that holds it",
        "name one in [tool.argosy] image, or import in a Python component",
    ),
    "URI of an importer": (
        "pods reach s3://, gs://, az://, http:// and https:// only",
        "copy what it names to one of these",
    ),
    "claim of storage": (
        "Kubernetes is given values as they are, and each claim its own name",
        "give constants, parameters or outputs of steps; in a loop name the claim by the item",
    ),
    "init container": (
        "it may mount the volumes of its pod alone",
        "mount the volume in the step too, or do its work inside the step",
    ),
    "security context": (
        "every pod runs under the restricted profile of Kubernetes, which has no root",
        "name a user and a group other than 0, or none",
    ),
    "claim of a device": ("it is not mapped yet", "ask for an accelerator by its resource name"),
    "name that comes up in the run": (
        "into fields of a pod Argo puts one value alone, into some of them none",
        "write a constant; names of secrets, config maps and claims may also be a parameter or come from one step",
    ),
    "placeholder in image or environment": (
        "a template is the same for every task",
        "write a constant, or give the value as an input",
    ),
    "workspace": (
        "the pipeline asks for none in its PipelineConfig, and nothing is imported into one",
        "ask for one, or pass files between steps as artifacts",
    ),
    "condition": ("only values compare, and texts made of values are none", "compare a parameter or an output"),
    "items of a loop": ("Argo expands what one task gives", "loop over a list that a step returns"),
    "status of tasks in another loop": ("a round does not see the tasks around it", "take the status outside the loop"),
    "wait in a loop": (
        "a round starts when its loop does, so the loop has to wait for all that its tasks wait for",
        "let the loop itself come after the task",
    ),
    "backoff factor": ("Argo multiplies by whole numbers", "write a whole number"),
    "value that Argo would change": (
        "Argo reads it itself, whole numbers as doubles, and writes rare characters in a form that is no JSON",
        "give large numbers as texts, or let a step return the value",
    ),
    "name of an input or output": ("Argo takes letters, digits, `-` and `_`", "rename it in the component"),
    "brace": ("the source holds what the translation puts in place of a brace or a dollar", "write it in two parts"),
    "size of a pod": (
        "Argo hands a pod its template with all that it is given in 128 KB",
        "return large values from a step, or read them from a file of the image; move code into modules of the image",
    ),
    "size": ("etcd keeps no object of more than 1.5 MB", "split the pipeline, or move code into modules of the image"),
}  # fmt: skip
"""Each construct that does not compile to Argo, with the reason and what to write instead."""


def refusal(place: str, construct: str, got: str = "") -> Unsupported:
    """Return the error for a construct that has its row in the table."""
    reason, instead = REFUSALS[construct]
    name = f"{construct} ({got})" if got else construct
    return Unsupported(f"{place}: {name}: cannot compile to Argo: {reason}; {instead}")


def translation_table() -> str:
    """Return the page that shows both tables."""
    forms = [f"| {construct} | {form} | {note} |" for construct, (form, note) in FORMS.items()]
    refusals = [f"| {construct} | {reason} | {instead} |" for construct, (reason, instead) in REFUSALS.items()]
    head = "# What becomes of a pipeline on Argo\n\nGenerated from `argosy/argo/unsupported.py`.\n"
    became = "\n## Translated\n\n| construct | on Argo | note |\n|---|---|---|\n"
    refused = "\n## Refused when compiled\n\n| construct | reason | instead |\n|---|---|---|\n"
    return f"{head}{became}" + "\n".join(forms) + f"\n{refused}" + "\n".join(refusals) + "\n"
