"""Run `manage.py doctor` as an operator's script does."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import Any

from tests.real.provider import MANAGE, PROJECT, Provider


@dataclass(frozen=True)
class Diagnosis:
    """What it said: the exit code, and the findings by their codes."""

    exit_code: int
    findings: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, said: str) -> Diagnosis:
        """Read what `doctor --json` printed; the exit code is the one that goes with it."""
        report = json.loads(said)
        return cls(0 if report["ok"] else 1, {one["code"]: one for one in report["findings"]})

    @property
    def wrong(self) -> set[str]:
        """Return the codes of what is wrong."""
        return {code for code, one in self.findings.items() if one["state"] == "bad"}

    @property
    def doubtful(self) -> set[str]:
        """Return the codes of what is only worth a look."""
        return {code for code, one in self.findings.items() if one["state"] == "warning"}

    def assert_only(self, code: str, *words: str) -> None:
        """Fail unless this is the one thing that is wrong, said in these words, with a remedy."""
        assert self.wrong == {code}, self.findings
        assert self.exit_code == 1
        self.assert_says(code, *words)

    def assert_says(self, code: str, *words: str) -> None:
        """Fail unless this was found, in these words, with a remedy."""
        finding = self.findings[code]
        assert finding["fix"], finding
        for word in words:
            assert word in finding["text"], finding


#: Root may write where nobody may, unless this is taken from it.
MORTAL = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []


def doctor(provider: Provider, *arguments: str, **settings: object) -> Diagnosis:
    """Run it with the provider's settings, some of them changed."""
    done = subprocess.run(
        [*MORTAL, *MANAGE, "doctor", "--json", *arguments],
        env=provider.env | {name: str(value) for name, value in settings.items()},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    assert not done.stderr, done.stderr
    diagnosis = Diagnosis.read(done.stdout)
    assert diagnosis.exit_code == done.returncode
    return diagnosis
