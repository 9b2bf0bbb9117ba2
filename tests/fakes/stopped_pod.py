"""A pod's launcher that stays for good where it reaches one of some points: `stopped_pod.py POINT,... FILE WORDS...`.

It leaves the file as a sign that it is there. The last point is `after outputs`: nobody has read them yet.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from argosy.launcher import argo
from argosy.launcher.launch import Context


def main(points: Sequence[str], file: str, words: Sequence[str]) -> int:
    def hook(at: str) -> None:
        if at in points:
            Path(file).touch()
            time.sleep(3600)

    given = argo.open_context

    @contextmanager
    def open_context(lock: str | None, run: str) -> Iterator[Context]:
        with given(lock, run) as context:
            yield replace(context, hook=hook)

    argo.open_context = open_context
    code = argo.main(words)
    hook("after outputs")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].split(","), sys.argv[2], sys.argv[3:]))
