import copy
import pickle

from argosy.spec.model import ABSENT, Parameter


def test_nothing_given_is_not_null_and_stays_itself_in_copies():
    assert ABSENT is not None
    assert copy.deepcopy(ABSENT) is ABSENT
    assert pickle.loads(pickle.dumps(ABSENT)) is ABSENT  # noqa: S301  # our own bytes
    assert Parameter("a", "STRING").default is ABSENT
