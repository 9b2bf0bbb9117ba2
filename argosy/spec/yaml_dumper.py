"""A YAML dumper for people: texts of several lines stand as blocks, and nothing is said by reference."""

from __future__ import annotations

from typing import Any

import yaml

SafeDumper: type[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
ONE_LINE = 1 << 20


class BlockDumper(SafeDumper):  # type: ignore[misc]  # which of the two it is, the machine decides
    """Writes a source as it was written."""

    def ignore_aliases(self, data: Any) -> bool:
        """Say yes: an anchor is harder to review than a repetition."""
        del data
        return True


def _represent_text(dumper: Any, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


BlockDumper.add_representer(str, _represent_text)
