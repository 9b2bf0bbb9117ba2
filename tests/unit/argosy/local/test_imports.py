"""Which import sets get a server, and which server it grows from."""

from argosy.local.imports import best_base, shared_imports


def test_a_set_that_one_step_has_gets_no_server():
    assert shared_imports([("pandas",), ("pandas",), ("sklearn",)]) == [(), ("pandas",)]


def test_the_empty_set_is_always_offered_first():
    assert shared_imports([]) == [()]
    assert shared_imports([(), ()]) == [()]


def test_a_server_grows_from_the_largest_one_whose_imports_it_has_too():
    running = [(), ("pandas",), ("numpy", "pandas"), ("pandas", "torch")]

    assert best_base(("numpy", "pandas", "sklearn"), running) == ("numpy", "pandas")
    assert best_base(("duckdb",), running) == ()


def test_a_server_never_grows_from_one_where_an_import_went_without_its_option():
    running = [(), ("numpy",), ("numpy", "xgboost")]

    assert best_base(("numpy", "sklearn", "xgboost"), running) == ("numpy",)
    assert best_base(("numpy", "onnx", "xgboost"), running) == ("numpy", "xgboost")
