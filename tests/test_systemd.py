"""deploy/systemd: systemd itself finds nothing wrong, and the units say what they must."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.settings import ROOT

UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
PROCESSES = [unit for unit in SERVICES if "backup" not in unit.name]
#: Of systemd's scale from 0 (sealed) to 10.
MOST_EXPOSED = 2.0


def name(unit: Path) -> str:
    return unit.name


def keys(unit: Path) -> dict[str, str]:
    """Return a unit's settings; the last of each name."""
    return dict(re.findall(r"^(\w+)=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.fixture
def installed(tmp_path: Path) -> list[str]:
    """The units, as if this folder were /opt/pushprovider."""
    binaries = tmp_path / ".venv" / "bin"
    binaries.mkdir(parents=True)
    for program in ("python", "daphne"):
        (binaries / program).symlink_to(Path(sys.executable).with_name(program))
    paths = []
    for unit in UNITS:
        copy = tmp_path / unit.name
        text = unit.read_text(encoding="utf-8")
        copy.write_text(text.replace("/opt/pushprovider", str(tmp_path)), encoding="utf-8")
        paths.append(str(copy))
    return paths


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, check=False
    )


def test_systemd_finds_nothing_wrong(installed: list[str]) -> None:
    done = analyze("verify", *installed)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_systemd_would_find_a_wrong_key(installed: list[str]) -> None:
    web = Path(next(path for path in installed if path.endswith("web.service")))
    web.write_text(web.read_text() + "ProtectEverything=yes\n")
    assert "ProtectEverything" in analyze("verify", *installed).stderr


@pytest.mark.parametrize("unit", SERVICES, ids=name)
def test_it_is_hardened(unit: Path) -> None:
    threshold = f"--threshold={int(MOST_EXPOSED * 10)}"
    done = analyze("security", "--offline=true", threshold, str(unit))
    assert done.returncode == 0, done.stdout
    given = keys(unit)
    assert given["User"] == "pushprovider"
    assert (given["NoNewPrivileges"], given["ProtectSystem"]) == ("yes", "strict")


@pytest.mark.parametrize("unit", PROCESSES, ids=name)
def test_it_tells_when_it_is_ready_and_that_it_lives(unit: Path) -> None:
    given = keys(unit)
    assert given["Type"] == "notify"
    assert int(given["WatchdogSec"]) >= 30
    assert given["RestartPreventExitStatus"] == "78"


@pytest.mark.parametrize("unit", PROCESSES, ids=name)
def test_both_meet_in_one_run_dir(unit: Path) -> None:
    given = keys(unit)
    assert (given["RuntimeDirectory"], given["StateDirectory"]) == ("pushprovider",) * 2
    # Else the first that stops takes the other's folder away.
    assert given["RuntimeDirectoryPreserve"] == "yes"


def test_the_target_wants_every_unit() -> None:
    wanted = re.findall(r"pushprovider-\S+", (UNITS[0].parent / "pushprovider.target").read_text())
    timed = {"pushprovider-backup.service"}  # by its timer
    assert {*wanted, *timed, "pushprovider.target"} == {unit.name for unit in UNITS}
