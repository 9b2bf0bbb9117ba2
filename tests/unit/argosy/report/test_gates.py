from __future__ import annotations

from argosy.report.gates import gates_view
from tests.fakes.run_records import a_refused_run, a_run_document


def test_every_verdict_has_its_gates():
    view = gates_view(a_run_document())

    assert view["lead"] == "27 gates, all held."
    assert [verdict["word"] for verdict in view["verdicts"]] == ["accepted", "passed"]
    assert view["verdicts"][1]["more_told"] == "21 more gates held: 16 of kind slice, 5 of kind test"


def test_a_broken_gate_comes_first_with_its_picture():
    (gate, *_) = gates_view(a_refused_run())["verdicts"][1]["gates"]

    assert (gate["name"], gate["word"]) == ("log_loss", "broken")
    assert 'class="strip broken"' in gate["plot"]


def test_a_gate_without_a_value_has_no_picture():
    run = {"verdicts": [{"ok": False, "gates": [{"name": "auc", "op": ">=", "bound": 1, "value": None}]}]}

    (gate,) = gates_view(run)["verdicts"][0]["gates"]

    assert (gate["plot"], gate["word"]) == ("", "unknown")


def test_a_run_without_verdicts_has_no_section():
    assert gates_view({}) is None
