"""The harness's processes and waiting, on their own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.real.play import play
from tests.real.ports import answers, free_ports
from tests.real.process import ManagedProcess, plain_environment
from tests.real.waiting import eventually, wait_until


def child(folder: Path, program: str) -> ManagedProcess:
    """A Python program as a child process."""
    argv = [sys.executable, "-u", "-c", program]
    return ManagedProcess("child", argv, plain_environment(), folder, folder / "child.log")


def test_it_is_ready_when_its_log_says_so(tmp_path: Path) -> None:
    process = child(tmp_path, "import time; print('ready'); time.sleep(60)")
    for _ in range(2):  # the second run is judged by its own lines
        process.start(lambda: "ready" in process.log_of_this_run())
        process.kill()
    assert process.log_text() == "ready\n" * 2


def test_a_child_that_dies_while_starting_is_a_failure_with_its_log(tmp_path: Path) -> None:
    process = child(tmp_path, "raise SystemExit('out of cheese')")
    with pytest.raises(AssertionError, match=r"(?s)child ended with 1 .*out of cheese"):
        process.start(lambda: False)


def test_terminate_returns_the_exit_code(tmp_path: Path) -> None:
    program = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        "print('ready')\ntime.sleep(60)"
    )
    process = child(tmp_path, program)
    process.start(lambda: "ready" in process.log_text())
    assert process.terminate() == 7
    assert process.terminate() == 7  # it has ended already


def test_kill_ends_grandchildren_too(tmp_path: Path) -> None:
    program = (
        "import subprocess, time\n"
        "print(subprocess.Popen(['sleep', '60']).pid, flush=True)\ntime.sleep(60)"
    )
    process = child(tmp_path, program)
    process.start(lambda: "\n" in process.log_text())
    status = Path(f"/proc/{int(process.log_text())}/status")
    assert "sleep" in status.read_text()
    process.kill()
    wait_until(
        lambda: not status.exists() or "zombie" in status.read_text(), 5, "the grandchild ends"
    )


def test_a_wait_that_fails_says_what_for_and_shows_the_log() -> None:
    with pytest.raises(AssertionError, match=r"(?s)not within 0.05 s: a miracle.*last line"):
        wait_until(lambda: False, 0.05, "a miracle", lambda: "first line\nlast line")


@play
async def test_a_play_can_await_its_condition() -> None:
    seen: list[int] = []

    async def third_time() -> int | None:
        seen.append(1)
        return len(seen) if len(seen) == 3 else None

    assert await eventually(third_time, 1, "the third time") == 3


def test_free_ports_differ_and_nobody_is_there() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert not any(answers(port) for port in ports)
