"""Python's cycle collector, set for two processes that make the same few objects all day.

A request leaves cycles behind (Twisted's request and its channel know each other). By default the
collector looks after each 700 new objects, which is every few requests, and in the end through
everything that Django has loaded, to find very little. That measured a fifth of daphne's time.
"""

from __future__ import annotations

import gc

#: New objects after which the youngest are looked at, and how often the older ones join. What
#: waits to be found meanwhile is a few hundred requests, some megabytes.
THRESHOLDS = (10_000, 10, 50)


def collect_less() -> None:
    """Call it when everything is loaded: from then on only what came later is looked at."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
