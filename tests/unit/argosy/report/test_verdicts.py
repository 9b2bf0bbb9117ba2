from __future__ import annotations

from argosy.report.verdicts import condition_of, count_held, count_rest, list_and_rest, note_of, reason_of, value_of

FLOOR = {"name": "auc", "kind": "floor", "value": 0.77, "op": ">=", "bound": 0.78, "ok": False}
TEST = {"name": "boots", "kind": "test", "value": 0.0, "op": ">=", "bound": 1, "ok": False, "note": "no answer"}
SIGN = "\N{GREATER-THAN OR EQUAL TO}"


def slices(n):
    return [{**FLOOR, "kind": "slice", "ok": True} for _ in range(n)]


def test_a_gate_says_its_value_and_what_is_asked_for():
    assert value_of(FLOOR) == "0.7700"
    assert condition_of(FLOOR) == f"{SIGN} 0.7800"
    assert reason_of(FLOOR) == f"auc is 0.7700, asked for {SIGN} 0.7800"


def test_whole_numbers_have_no_digits():
    gate = {**FLOOR, "value": 1_934_112, "op": "<=", "bound": 5e6}

    assert (value_of(gate), condition_of(gate)[2:]) == ("1,934,112", "5,000,000")


def test_a_yes_or_no_shows_its_message_for_its_numbers():
    assert condition_of(TEST) == ""
    assert reason_of(TEST) == "boots: no answer"


def test_a_note_is_shown_where_it_tells_more_than_the_numbers():
    assert note_of(TEST) == "no answer"
    assert note_of({**TEST, "ok": True}) == ""
    assert note_of({**FLOOR, "kind": "champion", "ok": True, "note": "within"}) == "within"


def test_a_gate_that_does_not_say_is_not_held():
    assert count_held([FLOOR, {**FLOOR, "ok": None}, {**FLOOR, "ok": True}]) == "2 of 3 gates broken."
    assert count_held([{**FLOOR, "ok": True}]) == "1 gate, all held."
    assert count_held([]) == ""


def test_broken_gates_come_first_and_many_held_ones_are_counted():
    gates = [*slices(9), {**FLOOR, "ok": True}, FLOOR]

    listed, rest = list_and_rest(gates)

    assert [gate["ok"] for gate in listed] == [False, True]
    assert count_rest(rest) == "9 more gates held: 9 of kind slice"


def test_a_few_held_ones_are_listed():
    assert list_and_rest(slices(3))[1] == []
    assert count_rest([]) == ""
