"""The HTTP process with a short patience, so that a test need not wait a minute."""

from __future__ import annotations

import os

from upconfig.asgi import application  # it starts Django, which the next line needs

from pushprovider.http import bounds  # isort: skip

__all__ = ["application"]

bounds.RECEIVE_WITHIN = float(os.environ["FUZZ_RECEIVE_WITHIN"])  # read when daphne listens
