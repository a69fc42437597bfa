"""Plots as SVG, written by hand: bars in groups, and lines. No library, no script."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import cycle
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 860, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 74, 56
_COLOURS = ("#3465a4", "#cc5200", "#3d8b3d", "#8a5fb0", "#b8860b", "#6b6b6b", "#c2397c", "#2a9d9d")
_FRAME = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" '
    'font-family="sans-serif" font-size="12" role="img">\n'
    "<title>{title}</title>\n"
    '<rect width="{w}" height="{h}" fill="#ffffff"/>\n'
)


def bars(
    title: str, groups: Sequence[str], series: Mapping[str, Sequence[float | None]], unit: str
) -> str:
    """Return a bar for each series in each group; None is left out. Values are 0 or above."""
    axis = _Axis([value for values in series.values() for value in values], logarithmic=False)
    parts = [_head(title, list(series)), axis.text(unit)]
    width = (_WIDTH - _LEFT - _RIGHT) / max(len(groups), 1)
    bar = width * 0.8 / max(len(series), 1)
    for index, group in enumerate(groups):
        left = _LEFT + index * width
        parts.append(_label(left + width / 2, group))
        for number, (values, colour) in enumerate(zip(series.values(), cycle(_COLOURS))):
            if (value := values[index]) is None:
                continue
            x, y = left + width * 0.1 + number * bar, axis.y(value)
            height = _HEIGHT - _BOTTOM - y
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{bar * 0.94:.1f}" height="{height:.1f}" '
                f'fill="{colour}"/>\n'
                f'<text x="{x + bar * 0.47:.1f}" y="{y - 4:.1f}" text-anchor="middle" '
                f'font-size="10" fill="#333333">{_number(value)}</text>\n'
            )
    return "".join([*parts, "</svg>\n"])


def lines(
    title: str,
    steps: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    unit: str,
    *,
    logarithmic: bool = False,
    limit: float | None = None,
) -> str:
    """Return a line for each series over the steps; None is a gap. `limit` is a dashed line."""
    values = [value for each in series.values() for value in each]
    axis = _Axis([*values, limit], logarithmic=logarithmic)
    parts = [_head(title, list(series)), axis.text(unit)]
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(steps), 1)
    where = [_LEFT + step * (index + 0.5) for index in range(len(steps))]
    parts += [_label(x, text) for x, text in zip(where, steps, strict=True)]
    if limit is not None:
        y = f"{axis.y(limit):.1f}"
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}" stroke="#cc0000" '
            'stroke-dasharray="6 4"/>\n'
        )
    for each, colour in zip(series.values(), cycle(_COLOURS)):
        points = [
            (x, axis.y(value)) for x, value in zip(where, each, strict=True) if value is not None
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>\n'
        )
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>\n' for x, y in points]
    return "".join([*parts, "</svg>\n"])


class _Axis:
    """The vertical axis: from 0 or, if logarithmic, from a power of ten."""

    def __init__(self, values: Sequence[float | None], *, logarithmic: bool) -> None:
        known = [value for value in values if value is not None and math.isfinite(value)]
        self._log = logarithmic
        if logarithmic:
            above = [value for value in known if value > 0] or [1.0]
            low = math.floor(math.log10(min(above)))
            high = max(math.ceil(math.log10(max(above))), low + 1)
            self._low, self._high = float(low), float(high)
            self.ticks = [10.0**power for power in range(low, high + 1)]
        else:
            step = _nice(max(known, default=1.0) or 1.0)
            count = math.ceil(round((max(known, default=1.0) or 1.0) / step, 6))
            self._low, self._high = 0.0, step * count
            self.ticks = [step * index for index in range(count + 1)]

    def y(self, value: float) -> float:
        """Return where a value is, in the picture's units from the top."""
        if self._log:
            value = math.log10(max(value, 10.0**self._low))
        share = (value - self._low) / (self._high - self._low)
        return _HEIGHT - _BOTTOM - min(max(share, 0), 1) * (_HEIGHT - _BOTTOM - _TOP)

    def text(self, unit: str) -> str:
        """Return the axis as SVG."""
        parts = [f'<text x="{_LEFT - 8}" y="{_TOP - 12}" text-anchor="end">{escape(unit)}</text>\n']
        for tick in self.ticks:
            y = f"{self.y(tick):.1f}"
            parts.append(
                f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}" stroke="#dddddd"/>\n'
                f'<text x="{_LEFT - 8}" y="{y}" dy="4" text-anchor="end">{_number(tick)}</text>\n'
            )
        return "".join(parts)


def _nice(most: float) -> float:
    """Return a step of 1, 2 or 5 times a power of ten that divides `most` into 4 to 10."""
    power = 10.0 ** math.floor(math.log10(most))
    return next(power * step for step in (1, 0.5, 0.2) if most / (power * step) >= 4)


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _head(title: str, names: Sequence[str]) -> str:
    parts = [
        _FRAME.format(w=_WIDTH, h=_HEIGHT, title=escape(title)),
        f'<text x="{_WIDTH / 2}" y="22" text-anchor="middle" font-size="15">'
        f"{escape(title)}</text>\n",
    ]
    x, y = float(_LEFT), 35
    for name, colour in zip(names, cycle(_COLOURS)):
        width = 34 + 6.6 * len(name)
        if x + width > _WIDTH:
            x, y = float(_LEFT), y + 16
        parts.append(
            f'<rect x="{x:.0f}" y="{y}" width="11" height="11" fill="{colour}"/>\n'
            f'<text x="{x + 16:.0f}" y="{y + 10}">{escape(name)}</text>\n'
        )
        x += width
    return "".join(parts)


def _label(x: float, text: str) -> str:
    y = _HEIGHT - _BOTTOM + 20
    return f'<text x="{x:.1f}" y="{y}" text-anchor="middle">{escape(text)}</text>\n'
