"""A strict reader of JSON objects: what nobody read is refused, with its place."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING

from argosy.errors import Mistake
from argosy.spec.model import ABSENT, Absent, JsonValue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REPORTED = 10  # unread fields named in one message; more would hide the first


class Fields:
    """One object of the spec, which remembers what it was asked for.

    As in the JSON form of protocol buffers, a field that is null is a field that is not there.
    """

    __slots__ = ("_asked", "_children", "_data", "place")

    def __init__(self, data: Mapping[str, JsonValue], place: str = "") -> None:
        self.place = place
        self._data = data
        self._asked: set[str] = set()
        self._children: list[Fields] = []

    def at(self, key: str) -> str:
        """Return the place of a field of this object."""
        return f"{self.place}.{key}" if self.place else key

    def __contains__(self, key: str) -> bool:
        self._asked.add(key)
        return self._data.get(key) is not None

    def _take(self, key: str, kind: type | tuple[type, ...], called: str) -> JsonValue | Absent:
        self._asked.add(key)
        value = self._data.get(key)
        if value is None:
            return ABSENT
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise Mistake(f"{self.at(key)}: got {shorten(value)}; {called} is needed here")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; without a default it is required, and required not to be empty."""
        value = self._take(key, str, "a text")
        if isinstance(value, str) and (value or default is not None):
            return value
        if default is None:
            raise Mistake(f"{self.at(key)}: missing; a text that is not empty is needed here{self._hint(key)}")
        return default

    def flag(self, key: str) -> bool:
        """Return a truth value; a field that is not there is false."""
        return self._take(key, bool, "true or false") is True

    def number(self, key: str, default: float) -> float:
        """Return a number; 64-bit integers may be written as texts."""
        value = self._take(key, (int, float, str), "a number")
        if isinstance(value, Absent):
            return default
        try:
            return float(value)  # type: ignore[arg-type]  # narrowed by _take
        except ValueError as error:
            raise Mistake(f"{self.at(key)}: got {shorten(value)}; a number is needed here") from error

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; a field that is not there is empty."""
        return tuple(self._text_in_list(key, index, item) for index, item in enumerate(self._list(key)))

    def _text_in_list(self, key: str, index: int, item: JsonValue) -> str:
        if not isinstance(item, str):
            raise Mistake(f"{self.at(key)}[{index}]: got {shorten(item)}; a text is needed here")
        return item

    def _list(self, key: str) -> list[JsonValue]:
        value = self._take(key, list, "a list")
        return value if isinstance(value, list) else []

    def json(self, key: str) -> JsonValue | Absent:
        """Return a field as it is, with all below it read; null is a value here."""
        self._asked.add(key)
        return self._data.get(key, ABSENT)

    def rest(self) -> dict[str, JsonValue]:
        """Return all that was not asked for yet, and count it as read."""
        left = {key: value for key, value in self._data.items() if key not in self._asked}
        self._asked.update(left)
        return left

    def object(self, key: str) -> Fields:
        """Return an object; a field that is not there is an empty one."""
        value = self._take(key, dict, "an object")
        return self._child(value if isinstance(value, dict) else {}, self.at(key))

    def objects(self, key: str) -> list[Fields]:
        """Return a list of objects; a field that is not there is empty."""
        return [self._named(f"{self.at(key)}[{i}]", item) for i, item in enumerate(self._list(key))]

    def entries(self, key: str) -> Iterator[tuple[str, Fields]]:
        """Yield the objects of a map by name, sorted; a field that is not there is empty."""
        value = self._take(key, dict, "an object")
        for name, item in sorted(value.items() if isinstance(value, dict) else ()):
            yield name, self._named(f"{self.at(key)}.{name}", item)

    def _named(self, place: str, item: JsonValue) -> Fields:
        if not isinstance(item, dict):
            raise Mistake(f"{place}: got {shorten(item)}; an object is needed here")
        return self._child(item, place)

    def _child(self, data: Mapping[str, JsonValue], place: str) -> Fields:
        child = Fields(data, place)
        self._children.append(child)
        return child

    def _hint(self, key: str) -> str:
        return did_you_mean(key, [name for name in self._data if name not in self._asked])

    def _unread(self) -> Iterator[str]:
        known = sorted(self._asked)
        for key in self._data:
            if key not in self._asked:
                yield f"{self.at(key)}: unread field{did_you_mean(key, known)}; fields here: {', '.join(known)}"
        for child in self._children:
            yield from child._unread()

    def require_all_read(self) -> None:
        """Raise a mistake that names every field that nobody asked for, here and below."""
        found = list(self._unread())
        if len(found) > REPORTED:
            found[REPORTED:] = [f"and {len(found) - REPORTED} more"]
        if found:
            raise Mistake("\n".join(found))


def did_you_mean(name: str, known: list[str]) -> str:
    """Return ` (did you mean ...?)` for the closest known name, or nothing."""
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def shorten(value: object, limit: int = 60) -> str:
    """Return a value as JSON text of bounded length, for messages."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
