"""The part of expr-lang that manifests use, by the rules of its definition: what is absent is None."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+\.\d+(?:[eE][+-]?\d+)?|\d+(?:[eE][+-]?\d+)?)|(?P<text>"(?:\\.|[^"\\])*")"""
    r"""|(?P<name>[A-Za-z_]\w*)|(?P<sign>\?\.|\?\?|==|!=|<=|>=|&&|\|\||[-+<>!?:.,()\[\]{}#]))"""
)
LEVELS = (("||", "or"), ("&&", "and"), ("==", "!=", "<", "<=", ">", ">=", "in", "contains"), ("+", "-"))
WORDS = {"true": True, "false": False, "nil": None}
Node = Callable[[Mapping[str, Any], Any], Any]


class ExpressionError(Exception):
    """An expression that Argo would not evaluate."""


def evaluate(text: str, variables: Mapping[str, Any]) -> Any:
    """Return the value of an expression."""
    parser = _Parser(text)
    node = parser.ternary()
    if parser.peek() is not None:
        raise ExpressionError(f"{text}: {parser.peek()!r} is too much")
    return node(variables, None)


def go_json(value: Any) -> str:
    """Return JSON as Go writes it: names sorted, numbers as doubles, `<`, `>` and `&` escaped."""
    text = json.dumps(_doubles(value), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


def go_loads(text: str) -> Any:
    """Return JSON as Go reads it into anything: every number is a double."""
    return json.loads(text, parse_int=float)


def _doubles(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    if isinstance(value, list):
        return [_doubles(item) for item in value]
    return {key: _doubles(item) for key, item in value.items()} if isinstance(value, dict) else value


def _kind(value: Any) -> str:
    kinds = {bool: "bool", int: "int", float: "float", str: "string", list: "array", dict: "map", type(None): "nil"}
    return kinds[type(value)]


def _from_json(value: Any) -> Any:
    if not isinstance(value, str):
        raise ExpressionError(f"fromJSON: got {value!r}")
    try:
        return go_loads(value)
    except ValueError as error:
        raise ExpressionError(f"fromJSON: {value!r}: {error}") from error


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "fromJSON": _from_json,
    "toJson": go_json,
    "type": _kind,
    "int": int,
    "asInt": int,
    "float": float,
    "date": datetime.fromisoformat,
    "replace": lambda text, old, new: text.replace(old, new),
}


LAYOUTS = {"2006-01-02T15:04:05Z": "%Y-%m-%dT%H:%M:%SZ", "2006-01-02": "%Y-%m-%d"}
METHODS: dict[str, Callable[..., Any]] = {
    "UTC": lambda time: time.astimezone(UTC),
    "Format": lambda time, layout: time.strftime(LAYOUTS[layout]),
}


def _compare(sign: str, left: Any, right: Any) -> bool:
    if sign == "==":
        return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)
    if sign == "!=":
        return not _compare("==", left, right)
    if (
        isinstance(left, bool | None)
        or isinstance(right, bool | None)
        or isinstance(left, str) != isinstance(right, str)
    ):
        raise ExpressionError(f"{left!r} {sign} {right!r}")
    return bool({"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[sign])


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        place = 0
        while text[place:].strip():
            match = TOKEN.match(text, place)
            if match is None:
                raise ExpressionError(f"{text}: cannot be read from {text[place:]!r}")
            self.tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            place = match.end()
        self.at = 0

    def peek(self) -> str | None:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else None

    def take(self, *wanted: str) -> str | None:
        if self.at < len(self.tokens) and self.tokens[self.at][0] != "text" and self.peek() in wanted:
            self.at += 1
            return self.tokens[self.at - 1][1]
        return None

    def need(self, wanted: str) -> None:
        if not self.take(wanted):
            raise ExpressionError(f"{wanted!r} is missing before {self.peek()!r}")

    def ternary(self) -> Node:
        condition = self.binary(0)
        if not self.take("?"):
            return condition
        yes = self.ternary()
        self.need(":")
        no = self.ternary()
        return lambda env, item: yes(env, item) if condition(env, item) is True else no(env, item)

    def binary(self, level: int) -> Node:
        if level == len(LEVELS):
            return self.coalesced()
        left = self.binary(level + 1)
        while sign := self.take(*LEVELS[level]):
            left = _joined(sign, left, self.binary(level + 1))
        return left

    def coalesced(self) -> Node:
        left = self.unary()
        while self.take("??"):
            left = _coalesce(left, self.unary())
        return left

    def unary(self) -> Node:
        if self.take("!"):
            operand = self.unary()
            return lambda env, item: not operand(env, item)
        if self.take("-"):
            operand = self.unary()
            return lambda env, item: -operand(env, item)
        return self.chain()

    def chain(self) -> Node:
        node = self.primary()
        while sign := self.take(".", "?.", "["):
            if (sign == "?." and self.take("[")) or sign == "[":
                key = self.ternary()
                self.need("]")
            else:
                key = _constant(self.tokens[self.at][1])
                self.at += 1
            if self.take("("):
                node = _method(node, str(key(None, None)), self.listed(")"))
            else:
                node = _member(node, key, optional=sign == "?.")
        return node

    def primary(self) -> Node:
        if self.take("("):
            node = self.ternary()
            self.need(")")
            return node
        if self.take("["):
            return self.array()
        if self.take("{"):
            return self.map_literal()
        kind, text = self.tokens[self.at]
        self.at += 1
        if text == "#":
            return lambda _env, item: item
        if kind in {"number", "text"}:
            return _constant(json.loads(text))
        return _constant(WORDS[text]) if text in WORDS else self.named(text)

    def named(self, text: str) -> Node:
        return self.call(text) if self.take("(") else _variable(text)

    def map_literal(self) -> Node:
        entries = []
        while not self.take("}"):
            key = self.primary()
            self.need(":")
            entries.append((key, self.ternary()))
            self.take(",")
        return lambda env, item: {key(env, item): value(env, item) for key, value in entries}

    def array(self) -> Node:
        items = self.listed("]")
        return lambda env, item: [each(env, item) for each in items]

    def listed(self, end: str) -> list[Node]:
        given = [] if self.peek() == end else [self.ternary()]
        while self.take(","):
            given.append(self.ternary())
        self.need(end)
        return given

    def call(self, name: str) -> Node:
        given = self.listed(")")
        if name == "map":
            return lambda env, item: [given[1](env, each) for each in _list(given[0](env, item))]
        if name == "filter":
            return lambda env, item: [each for each in _list(given[0](env, item)) if given[1](env, each) is True]
        return lambda env, item: FUNCTIONS[name](*(each(env, item) for each in given))


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ExpressionError(f"{value!r} is no list")
    return value


def _constant(value: Any) -> Node:
    return lambda _env, _item: value


def _variable(name: str) -> Node:
    def read(env: Mapping[str, Any], _item: Any) -> Any:
        if name not in env:
            raise ExpressionError(f"there is no {name}")
        return env[name]

    return read


def _member(node: Node, key: Node, *, optional: bool) -> Node:
    def read(env: Mapping[str, Any], item: Any) -> Any:
        whole = node(env, item)
        if whole is None and optional:
            return None
        if not isinstance(whole, Mapping):
            raise ExpressionError(f"cannot fetch {key(env, item)!r} from {whole!r}")
        return whole.get(key(env, item))

    return read


def _method(node: Node, name: str, given: list[Node]) -> Node:
    return lambda env, item: METHODS[name](node(env, item), *(each(env, item) for each in given))


def _coalesce(left: Node, right: Node) -> Node:
    def read(env: Mapping[str, Any], item: Any) -> Any:
        found = left(env, item)
        return right(env, item) if found is None else found

    return read


def _joined(sign: str, left: Node, right: Node) -> Node:
    def read(env: Mapping[str, Any], item: Any) -> Any:
        one = left(env, item)
        if sign in {"||", "or", "&&", "and"}:
            return bool(one or right(env, item)) if sign in {"||", "or"} else bool(one and right(env, item))
        other = right(env, item)
        if sign in {"+", "-"}:
            if isinstance(one, str) != isinstance(other, str):
                raise ExpressionError(f"{one!r} {sign} {other!r}")
            return one + other if sign == "+" else one - other
        if sign == "contains":
            return other in one
        return one in other if sign == "in" else _compare(sign, one, other)

    return read
