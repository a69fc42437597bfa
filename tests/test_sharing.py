"""How `make test` shares the tests between its run over SQLite and the one over PostgreSQL."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.conftest import left_to_the_other
from tests.settings import ROOT

STORES = ("sqlite", "postgresql")
BOTH = ("prosody", "ejabberd")


def runs(marks: set[str], servers: tuple[str, ...] = (), server: str = "") -> list[str]:
    """Return the stores over which a test runs."""
    return [store for store in STORES if not left_to_the_other(store, marks, servers, server)]


def test_a_play_against_both_servers_meets_each_server_and_each_store() -> None:
    for marks in (set(), {"on_both"}):
        assert runs(marks, BOTH, "prosody") == ["sqlite"]
        assert runs(marks, BOTH, "ejabberd") == ["postgresql"]


def test_what_is_about_the_store_runs_over_both() -> None:
    assert runs({"on_both"}) == runs({"on_both"}, ("ejabberd",), "ejabberd") == list(STORES)


def test_all_else_runs_over_sqlite() -> None:
    assert runs(set()) == runs(set(), ("ejabberd",), "ejabberd") == ["sqlite"]


def test_what_is_for_one_store_is_not_shared() -> None:
    for server in BOTH:
        assert "postgresql" in runs({"postgresql"}, BOTH, server)
        assert "sqlite" in runs({"sqlite"}, BOTH, server)


@pytest.mark.parametrize(("store", "server"), [("sqlite", "prosody"), ("postgresql", "ejabberd")])
def test_a_run_says_what_it_leaves_to_the_other(store: str, server: str) -> None:
    """test_gone.py: one play against both servers, one against Prosody alone."""
    said = collected(store, "--share")
    assert re.findall(r"once_the_phone_said\S*\[(\w+)\]", said) == [server]
    (other,) = set(STORES) - {store}
    left = set(re.findall(rf"^left to {other}: (.*)$", said, re.MULTILINE))
    alone = {"tests that one store is enough for (1)"} if store == "postgresql" else set()
    [missing] = set(BOTH) - {server}
    assert left == {f"plays against {missing} (1)"} | alone


def test_a_run_by_hand_meets_every_server() -> None:
    said = collected("sqlite")
    assert set(re.findall(r"once_the_phone_said\S*\[(\w+)\]", said)) == set(BOTH)
    assert "left to" not in said


def collected(store: str, *options: str) -> str:
    """Return what pytest says that it would run of tests/plays/test_gone.py."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-q"]
    return subprocess.run(
        [*command, *options, "tests/plays/test_gone.py"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PUSH_TEST_STORE": store},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
