import pytest

from argosy.errors import Unsupported
from argosy.spec.unsupported import REFUSALS, refuse


@pytest.mark.parametrize("construct", REFUSALS)
def test_a_refusal_says_place_name_reason_and_what_to_do(construct):
    reason, instead = REFUSALS[construct]

    with pytest.raises(Unsupported) as caught:
        refuse("root.dag", construct, "got this")

    assert str(caught.value) == f"root.dag: {construct} (got this): unsupported: {reason}; {instead}"
