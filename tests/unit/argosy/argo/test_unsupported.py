import re
from pathlib import Path

import pytest

from argosy.argo import unsupported
from argosy.argo.unsupported import REFUSALS, refusal, translation_table

ROOT = Path(__file__).parents[4]


def test_the_page_shows_the_table_as_it_is():
    assert (ROOT / "docs/argo-translation.md").read_text(encoding="utf-8") == translation_table()


def test_a_refusal_names_the_place_the_construct_the_reason_and_what_to_write_instead():
    error = refusal("tasks.count", "backoff factor", "1.5")

    assert str(error) == (
        "tasks.count: backoff factor (1.5): cannot compile to Argo: Argo multiplies by whole numbers; "
        "write a whole number"
    )


@pytest.mark.parametrize("construct", REFUSALS)
def test_every_refusal_of_the_table_is_one_that_the_translation_gives(construct):
    folder = Path(unsupported.__file__).parent
    code = "\n".join(file.read_text(encoding="utf-8") for file in folder.glob("*.py") if file.name != "unsupported.py")

    assert re.search(f'"{re.escape(construct)}"', code)
