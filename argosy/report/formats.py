"""Turn JSON values into the short texts people read; what is missing becomes a dash."""

from __future__ import annotations

import json
import math

DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
MAX_TEXT = 600


def finite(value: object) -> float | None:
    """Return the value as a finite number; None for anything else, booleans too."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def number(value: object, digits: int = 4) -> str:
    """Write a measure: thousands with commas, fractions with fixed digits."""
    found = finite(value)
    if found is None:
        return DASH
    if found == int(found) and (isinstance(value, int) or abs(found) >= 1000):
        return _minus(f"{int(found):,}")
    if abs(found) >= 1000:
        return _minus(f"{found:,.0f}")
    if 0 < abs(found) < 10**-digits:
        return _minus(f"{found:.1e}")
    return _minus(f"{found:.{2 if abs(found) >= 10 else digits}f}")


def signed(value: object, digits: int = 4) -> str:
    """Write a difference with its sign."""
    found = finite(value)
    if found is None:
        return DASH
    return ("+" if found > 0 else "") + number(found, digits)


def count(value: object) -> str:
    """Write a number of things."""
    found = finite(value)
    return DASH if found is None else f"{found:,.0f}"


def share(value: object, digits: int = 2) -> str:
    """Write a share of 0..1 as a percentage; some is never written as none, nearly all never as all."""
    found = finite(value)
    if found is None:
        return DASH
    least = 10**-digits
    if 0 < 100 * found < least:
        return f"<{least:.{digits}f} %"
    if 100 - least < 100 * found < 100:
        return f">{100 - least:.{digits}f} %"
    return f"{100 * found:.{0 if found in (0, 1) else digits}f} %"


def duration(value: object) -> str:
    """Write how long something took, from seconds."""
    found = finite(value)
    if found is None:
        return DASH
    if found < 0.095:
        return f"{1000 * found:.0f} ms"
    if found < 59.95:
        return f"{found:.1f} s"
    minutes, seconds = divmod(round(found), 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    return f"{minutes // 60} h {minutes % 60} min"


def span(value: object) -> str:
    """Write an age or a time to live, from seconds, in its natural unit."""
    found = finite(value)
    if found is None:
        return DASH
    for unit, length, switch in (("d", 86_400, 172_800), ("h", 3_600, 5_400), ("min", 60, 90)):
        if found >= switch:
            return f"{_short(found / length)} {unit}"
    return f"{_short(found)} s"


def micros(value: object) -> str:
    """Write a latency, from microseconds."""
    found = finite(value)
    if found is None:
        return DASH
    return f"{found / 1000:.1f} ms" if found >= 1000 else f"{found:.0f} µs"


def size(value: object) -> str:
    """Write a number of bytes."""
    found = finite(value)
    if found is None:
        return DASH
    for unit, length in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if found >= length:
            return f"{found / length:.1f} {unit}"
    return f"{found:.0f} B"


def digest(value: object, length: int = 12) -> str:
    """Write the first characters of a content digest, without its algorithm."""
    if not isinstance(value, str) or not value:
        return DASH
    return value.removeprefix("sha256:")[:length]


def moment(value: object) -> str:
    """Write an ISO time to the second, as `2013-12-31 06:00:00 UTC`."""
    if not isinstance(value, str) or not value:
        return DASH
    day, _, clock = value.partition("T")
    if not clock:
        return value[:40]
    utc = clock.endswith(("Z", "+00:00"))
    return f"{day} {clock[:8]}{' UTC' if utc else clock[8:][-6:]}"


def text(value: object, limit: int = MAX_TEXT) -> str:
    """Write any JSON value as bounded text; what was cut is counted."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return DASH
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if len(written) <= limit:
        return written
    return f"{written[:limit]}… ({len(written) - limit:,} more characters)"


def clip(name: str, limit: int) -> str:
    """Shorten a name in its middle, where names of one family differ least."""
    return name if len(name) <= limit else f"{name[: limit - 7]}…{name[-6:]}"


def plural(n: int, one: str, many: str = "") -> str:
    """Write a count with its noun in the right number."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def _minus(written: str) -> str:
    return written.replace("-", MINUS, 1) if written.startswith("-") else written


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 10 or value == round(value) else f"{value:.1f}".removesuffix(".0")
