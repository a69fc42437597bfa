"""Run one of our programs to its end, as an operator's shell does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

from tests.settings import ROOT


def python(
    *arguments: str, env: Mapping[str, str], seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    """Return what it said and its exit code, whatever that is. Of variables it has only `env`."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
