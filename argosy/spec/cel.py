"""Parse the conditions that kfp writes.

They are comparisons joined by `&&`, each perhaps negated:

    expression = factor ("&&" factor)*
    factor     = "!"? "(" expression ")"  |  operand operator operand
    operand    = "inputs.parameter_values['name']" | ("int" | "double") "(" operand ")" | text | number | bool

A small part of CEL, https://github.com/google/cel-spec; anything else is refused. kfp writes wrong CEL for a
text with a quote, and for a bool or number compared with a text; both end here, with the reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NoReturn

from argosy.errors import Mistake
from argosy.spec.model import ChannelOperand, Comparison, Conjunction, Expression, LiteralOperand, Negation, Operand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from argosy.spec.model import Cast

TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<channel>inputs\.parameter_values\['(?P<name>[^']*)'\])
    | (?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<text>'[^'\\\n]*')
    | (?P<word>true|false|int|double)\b
    | (?P<operator>==|!=|<=|>=|<|>)
    | (?P<mark>&&|!|\(|\))
    )""",
    re.VERBOSE,
)


def parse_expression(text: str, place: str) -> Expression:
    """Parse the text of a condition; `place` is where it stands in the spec.

    Raises:
        Mistake: The text is outside the grammar.

    """
    parser = _Parser(text, place, list(_tokens(text, place)))
    expression = parser.expression()
    parser.require_end()
    return expression


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def _tokens(text: str, place: str) -> Iterator[_Token]:
    end = len(text.rstrip())
    at = 0
    while at < end:
        match = TOKEN.match(text, at)
        if match is None:
            _refuse(text, at, place)
        kind = match.lastgroup if match.lastgroup != "name" else "channel"
        yield _Token(str(kind), match["name"] if match["channel"] else match[0].strip(), at)
        at = match.end()


def _refuse(text: str, at: int, place: str) -> NoReturn:
    hint = ""
    if "'inputs.parameter_values" in text or "'int(inputs.parameter_values" in text:
        hint = "; kfp writes this for a bool or a number that is compared with a text: compare values of one type"
    elif text[at:].lstrip().startswith("'") or re.match(r"'\S", text[max(at - 1, 0) :]):
        hint = "; kfp cannot write a text that holds a quote, a backslash or a line break into a condition"
    raise Mistake(f"{place}: cannot read {text[at : at + 40].strip()!r} in {text!r}{hint}")


class _Parser:
    """A descent over the tokens of one condition."""

    def __init__(self, text: str, place: str, tokens: list[_Token]) -> None:
        self._text = text
        self._place = place
        self._tokens = [*tokens, _Token("end", "", len(text))]
        self._next = 0

    def _accept(self, kind: str, text: str | None = None) -> str | None:
        token = self._tokens[self._next]
        if token.kind != kind or (text is not None and token.text != text):
            return None
        self._next += 1
        return token.text

    def _expect(self, kind: str, text: str | None = None) -> str:
        found = self._accept(kind, text)
        if found is None:
            _refuse(self._text, self._tokens[self._next].at, self._place)
        return found

    def require_end(self) -> None:
        self._expect("end")

    def expression(self) -> Expression:
        factors = [self._factor()]
        while self._accept("mark", "&&"):
            factors.append(self._factor())
        return factors[0] if len(factors) == 1 else Conjunction(tuple(factors))

    def _factor(self) -> Expression:
        negated = self._accept("mark", "!") is not None
        if negated:
            self._expect("mark", "(")
        elif not self._accept("mark", "("):
            return self._comparison()
        inner = self.expression()
        self._expect("mark", ")")
        return Negation(inner) if negated else inner

    def _comparison(self) -> Comparison:
        left = self._operand()
        sign: Any = self._expect("operator")
        return Comparison(sign, left, self._operand())

    def _operand(self) -> Operand:
        if (word := self._accept("word")) is not None:
            return self._word(word)
        if (name := self._accept("channel")) is not None:
            return ChannelOperand(name)
        if (number := self._accept("number")) is not None:
            return LiteralOperand(float(number) if set(number) & set(".eE") else int(number))
        return LiteralOperand(self._expect("text")[1:-1])

    def _word(self, word: str) -> Operand:
        if word in ("true", "false"):
            return LiteralOperand(word == "true")
        self._expect("mark", "(")
        inner = self._operand()
        self._expect("mark", ")")
        cast: Cast = "int" if word == "int" else "double"
        if isinstance(inner, ChannelOperand):
            return replace(inner, casts=(*inner.casts, cast))
        return LiteralOperand(float(inner.value) if cast == "double" else int(inner.value))
