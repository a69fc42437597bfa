"""Whether anything of Prosody's storage was ever imported, as the store said a moment ago.

Only the store knows its tokens, and anybody can make up one of their form. Where nothing was
imported, as with most, one of them in a second finds that out for all others.
"""

from __future__ import annotations

import time

#: Seconds for which the answer holds: so long an import may go unnoticed.
KEEP = 1.0


class Imported:
    """Told by the database thread, asked by the event loop."""

    def __init__(self) -> None:
        self._nothing_until = 0.0

    @property
    def is_empty(self) -> bool:
        """True if there was nothing a moment ago."""
        return time.monotonic() < self._nothing_until

    def tell(self, *, empty: bool) -> None:
        """The store has been asked."""
        self._nothing_until = time.monotonic() + KEEP if empty else 0.0


imported = Imported()
