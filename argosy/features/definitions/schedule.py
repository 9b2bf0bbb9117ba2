"""Spans of time in tags, and the schedule of a view against its time to live.

The serving lag of an online view is how long after its timestamp a row can reach the online store: its feed may be
late, the next materialisation may be a whole interval away, and that takes a while. A TTL that is not longer serves
nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEDULE = ("max_lateness", "materialize_every", "run_budget")
HEADROOM_PERCENT = 20

_DURATION = re.compile(r"([1-9]\d*)([smhd])")
_UNITS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_WORDS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
# Up to so many seconds people count in steps of so many.
_STEPS = ((120, 1), (1200, 60), (10_800, 300), (43_200, 900), (172_800, 3600))


def duration_s(text: str) -> int:
    """Read a duration in seconds: a whole number above zero and s, m, h or d, such as `15m`.

    Raises:
        ValueError: It is written otherwise.

    """
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no duration; write a whole number and s, m, h or d, such as '15m'")
    return int(found[1]) * _UNITS[found[2]]


def duration_text(seconds: int) -> str:
    """Write whole seconds above zero in the largest unit that holds them without a rest, as a tag has them."""
    return "{}{}".format(*_in_unit(seconds))


def ttl_text(seconds: int) -> str:
    """Write whole seconds above zero as the argument of a view."""
    number, unit = _in_unit(seconds)
    return f"ttl=timedelta({_WORDS[unit]}={number})"


def readable_s(seconds: int) -> int:
    """Round a duration up to one that people would write: 8,050 s to 135 minutes."""
    step = next((step for most, step in _STEPS if seconds <= most), 86_400)
    return -(-seconds // step) * step


def spans_of(tags: Mapping[str, str]) -> dict[str, int]:
    """Read the schedule in a view's tags, seconds; what is not written is left out.

    Raises:
        ValueError: One is no duration.

    """
    return {tag: duration_s(tags[tag]) for tag in SCHEDULE if tag in tags}


def lag_text(spans: Mapping[str, int]) -> str:
    """Write what a serving lag is made of."""
    return " + ".join(f"{name} {duration_text(span)}" for name, span in spans.items())


def problems_of_schedule(tags: Mapping[str, str], ttl_s: int, *, online: bool) -> list[str]:
    """List why the materialisation of a view cannot meet its TTL, with the changes that would pass."""
    wrong = [line for tag in SCHEDULE if (line := _problem_of_span(tags.get(tag), tag, online=online))]
    if wrong or not online:
        return wrong
    spans = spans_of(tags)
    lag = sum(spans.values())
    if lag < ttl_s:
        return []
    # A row has to last until the next one is served: one interval more, where rows come as often as they are loaded.
    lasting = readable_s(lag + spans["materialize_every"])
    changes = [
        f"{ttl_text(lasting)} lasts until the next one is served (any above {duration_text(lag)} passes this check)"
    ]
    room = ttl_s - 1 - spans["max_lateness"] - spans["run_budget"]
    if room >= 1:
        changes.append(f"materialize_every {duration_text(room - room % 60 or room)} or less passes, too")
    return [
        f"a row can be {duration_text(lag)} old before it is served ({lag_text(spans)}), its ttl is "
        f"{duration_text(ttl_s)}: {'; '.join(changes)}"
    ]


def warnings_of_view(view: Mapping[str, Any]) -> list[str]:
    """List what is allowed in a sound described view and yet short: a serving lag that takes over 80 % of the TTL."""
    ttl_s, spans = (view["ttl_us"] or 0) // 1_000_000, spans_of(view["tags"])
    lag, most = sum(spans.values()), 100 - HEADROOM_PERCENT
    if not view["online"] or not ttl_s or lag * 100 <= ttl_s * most:
        return []
    return [
        f"feature view {view['name']!r}: its serving lag of {duration_text(lag)} ({lag_text(spans)}) leaves "
        f"{headroom(ttl_s, lag):.0%} of its ttl of {duration_text(ttl_s)}; below {HEADROOM_PERCENT}% one slow run "
        f"expires rows: {ttl_text(readable_s(-(-lag * 100 // most)))} leaves enough"
    ]


def headroom(ttl_s: float, lag_s: float) -> float:
    """Return the share of a TTL that a serving lag leaves; negative where it takes more."""
    return 1 - lag_s / ttl_s


def _problem_of_span(text: str | None, tag: str, *, online: bool) -> str | None:
    """Say what is wrong with one tag of a schedule."""
    if text is None:
        return f"it is online and has no `{tag}` tag, so nobody knows whether its ttl can be met" if online else None
    try:
        duration_s(text)
    except ValueError as error:
        return f"{tag}: {error}"
    return None


def _in_unit(seconds: int) -> tuple[int, str]:
    """Split whole seconds into a number and the largest unit that divides them."""
    unit = next(unit for unit, length in _UNITS.items() if seconds % length == 0)
    return seconds // _UNITS[unit], unit
