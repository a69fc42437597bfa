"""The product's settings with `PRAGMA synchronous=NORMAL`: what would syncing less save?"""

from typing import Any, cast

from upconfig.settings import *  # noqa: F403  # that is what a settings module is for
from upconfig.settings import DATABASES

_options = cast("dict[str, Any]", DATABASES["default"]["OPTIONS"])
_full = str(_options["init_command"])
if "synchronous=FULL" not in _full:
    raise RuntimeError("the product's init_command no longer says synchronous=FULL")
_options["init_command"] = _full.replace("synchronous=FULL", "synchronous=NORMAL")
