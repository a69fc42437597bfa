"""Small pictures drawn by the server: they work without scripts and take the theme's colours."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 160, 36


def line(values: Sequence[float], label: str) -> SafeString:
    """Return a sparkline with the area below it filled."""
    if len(values) < 2:
        return SafeString("")
    top = max(values) or 1
    step = WIDTH / (len(values) - 1)
    points = " ".join(
        f"{index * step:.1f},{HEIGHT - 2 - value / top * (HEIGHT - 5):.1f}"
        for index, value in enumerate(values)
    )
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="{}"><polygon points="0,{} {} {},{}"/><polyline points="{}"/></svg>',
        WIDTH,
        HEIGHT,
        label,
        HEIGHT,
        points,
        WIDTH,
        HEIGHT,
        points,
    )


def bars(values: Sequence[float], label: str, height: int = 60) -> SafeString:
    """Return one bar for each value."""
    top = max(values, default=0) or 1
    drawn = format_html_join(
        "",
        '<rect x="{}" y="{}" width="8" height="{}"/>',
        (
            (
                index * 10 + 1,
                round(height - value / top * height, 1),
                round(value / top * height, 1),
            )
            for index, value in enumerate(values)
            if value
        ),
    )
    return format_html(
        '<svg class="bars" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="{}">{}</svg>',
        max(len(values), 1) * 10,
        height,
        label,
        drawn,
    )


def share(value: float, whole: float) -> SafeString:
    """Return a bar as long as a share of the whole."""
    part = round(min(max(value / whole if whole else 0, 0), 1) * 100, 1)
    return format_html(
        '<svg class="share" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">'
        '<rect width="{}" height="3"/></svg>',
        part,
    )
