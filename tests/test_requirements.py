"""What gets installed is what was tested: each package has its pin, each pin its reason."""

import re
from importlib.metadata import PackageNotFoundError, requires, version
from itertools import pairwise
from pathlib import Path

import pytest
from packaging.requirements import Requirement

_ROOT = Path(__file__).parent.parent


def _pins(file: str) -> dict[str, Requirement]:
    """The packages that a requirements file names, by their names as PEP 503 writes them."""
    lines = [line for line in (_ROOT / file).read_text().splitlines() if re.match(r"\w", line)]
    pins = [Requirement(line.partition("#")[0].strip()) for line in lines]
    return {_canonical(pin.name): pin for pin in pins}


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _brought_along_by(named: dict[str, Requirement]) -> dict[str, str]:
    """What these packages and theirs make pip install: the version that is here, by name."""
    found: dict[str, str] = {}
    waiting = list(named.values())
    looked_at: set[str] = set()
    while waiting:
        wanted = waiting.pop()
        name = _canonical(wanted.name)
        if (one := f"{name} {sorted(wanted.extras)}") in looked_at:
            continue
        looked_at.add(one)
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # another platform's
            continue
        waiting += [
            needed
            for needed in map(Requirement, requires(name) or [])
            if needed.marker is None
            or any(needed.marker.evaluate({"extra": extra}) for extra in wanted.extras | {""})
        ]
    return found


def test_every_package_at_run_time_is_pinned_to_what_is_installed() -> None:
    named = _pins("requirements.txt")
    pinned = {name: str(pin.specifier) for name, pin in (named | _pins("constraints.txt")).items()}
    installed = {name: f"=={there}" for name, there in _brought_along_by(named).items()}
    assert {name: pinned.get(name) for name in installed} == installed


def test_nothing_is_pinned_that_nobody_brings() -> None:
    brought = _brought_along_by(_pins("requirements.txt"))
    assert sorted(_pins("constraints.txt").keys() - brought.keys()) == []


def test_no_package_is_pinned_twice() -> None:
    assert sorted(_pins("requirements.txt").keys() & _pins("constraints.txt").keys()) == []


@pytest.mark.parametrize(
    "file",
    ["requirements.txt", "constraints.txt", "requirements-dev.txt", "requirements-bench.txt"],
)
def test_every_pin_is_exact_and_says_why_it_is_there(file: str) -> None:
    assert [
        pin for pin in _pins(file).values() if not re.fullmatch(r"==[\w.]+", str(pin.specifier))
    ] == []
    lines = (_ROOT / file).read_text().splitlines()
    silent = [line for above, line in pairwise(lines) if not ("#" in line or above.startswith("#"))]
    assert [line for line in silent if not line.startswith("-r ")] == []
