"""Manifests as text: read by Argo's own models, none of whose fields may be lost, and written for reviewers."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final

import yaml

from argosy.argo.unsupported import refusal
from argosy.errors import ArgosyError
from argosy.spec.yaml_dumper import ONE_LINE, BlockDumper

if TYPE_CHECKING:
    from collections.abc import Mapping

WARN_BYTES: Final = 256_000
MOST_BYTES: Final = 900_000
NEWER: Final = frozenset({"backoff.cap"})
"""Fields of Argo 4.1 that hera's models, which are of 4.0, may lack; the schema of the cluster knows them."""


class Lost(ArgosyError):
    """A field of a manifest that Argo's models do not have: a fault of the translation."""


def emit(manifest: Mapping[str, Any]) -> str:
    """Return the YAML of a manifest.

    Raises:
        Lost: A field is none of Argo's.
        Unsupported: The manifest is too large for a cluster to keep.

    """
    require_all_known(manifest)
    text = yaml.dump(manifest, Dumper=_Dumper, sort_keys=False, width=ONE_LINE, allow_unicode=True)
    name = manifest["metadata"].get("name") or manifest["metadata"].get("generateName", "").rstrip("-")
    size = len(text.encode())
    if size > MOST_BYTES:
        raise refusal(name, "size", f"{size // 1000} KB of at most {MOST_BYTES // 1000}")
    if size > WARN_BYTES:
        sys.stderr.write(
            f"argosy: {name}: {size // 1000} KB; above {WARN_BYTES // 1000} KB Argo gets slow: move code into modules "
            "of the image, or split the pipeline\n"
        )
    return text


def require_all_known(manifest: Mapping[str, Any]) -> None:
    """Raise where reading a manifest with Argo's models loses something of it: they drop what they do not know."""
    from hera.workflows.models import CronWorkflow, Workflow, WorkflowTemplate

    models: dict[str, Any] = {each.__name__: each for each in (Workflow, WorkflowTemplate, CronWorkflow)}
    model = models[manifest["kind"]]
    read = model.model_validate(manifest).model_dump(by_alias=True, exclude_none=True, mode="json")
    if lost := sorted(set(_lost(dict(manifest), read, ""))):
        raise Lost(f"{', '.join(lost)}: Argo has no such field, or not of this form; report this as a fault of Argosy")


def _lost(ours: Any, read: Any, place: str) -> list[str]:
    if isinstance(ours, dict) and isinstance(read, dict):
        found: list[str] = []
        for name, value in ours.items():
            below = f"{place}.{name}".lstrip(".")
            if name in read:
                found += _lost(value, read[name], below)
            elif not below.endswith(tuple(NEWER)):
                found.append(below)
        return found
    if isinstance(ours, list) and isinstance(read, list) and len(ours) == len(read):
        return [lost for one, other in zip(ours, read, strict=True) for lost in _lost(one, other, f"{place}[]")]
    return [] if ours == read else [place]


GO_BOOLEAN: Final = re.compile("^[yYnN]$")
GO_NUMBER: Final = re.compile(
    r"^([-+]?(\.[0-9_]+|[0-9_]+(\.[0-9_]*)?)([eE][-+]?[0-9_]+)?|[-+]?0_*[xXoObB][0-9a-fA-F_]+)$"
)
"""What Go's reader of YAML takes for a truth value or a number where Python's takes it for a text."""


class _Dumper(BlockDumper):
    """Writes what Go reads as Python does."""


# A text that would be read as something else is written in quotes.
_Dumper.add_implicit_resolver("tag:yaml.org,2002:bool", GO_BOOLEAN, list("yYnN"))
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", GO_NUMBER, list("-+.0123456789"))
