"""The file .env: a line that is not understood ends the start, and is shown to nobody."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from tests.real.process import plain_environment
from tests.real.python import python
from tests.settings import ENVIRONMENT, ROOT
from upconfig import dotenv
from upconfig.dotenv import DotenvError
from upconfig.env import EXIT_CONFIG, Reader

SECRET = "0123456789abcdef-secret"


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A .env, not yet written; what is read from it is forgotten after the test."""
    with mock.patch.dict(os.environ):
        yield tmp_path / ".env"


def wrong(file: Path) -> str:
    """Return what is wrong with it."""
    with pytest.raises(DotenvError) as caught:
        dotenv.read(file)
    return str(caught.value)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("DOT_A=plain", "plain"),
        ("DOT_A=", ""),
        ("DOT_A= outer space ", " outer space "),
        ("DOT_A=a#b=c$d", "a#b=c$d"),
        ("DOT_A='single'", "single"),
        ('DOT_A="dou\\"ble"', 'dou"ble'),
        ('DOT_A="open', '"open'),
        ("export DOT_A=exported", "exported"),
        ("DOT_A=ü", "ü"),
        ("DOT_A=first\nDOT_A=last", "last"),
        ("DOT_A=dos\r", "dos"),
        ("\ufeffDOT_A=behind a byte order mark", "behind a byte order mark"),
        ("# DOT_A comment\n\n  \t\n  # one more: x\nDOT_A=x", "x"),
    ],
)
def test_it_is_understood(line: str, value: str, file: Path) -> None:
    file.write_text(f"{line}\n", encoding="utf-8", newline="")
    dotenv.read(file)
    assert os.environ["DOT_A"] == value


@pytest.mark.parametrize(
    "line",
    [
        f"METRICS_TOKEN = {SECRET}",
        f"METRICS_TOKEN ={SECRET}",
        f"METRICS_TOKEN: {SECRET}",
        f" METRICS_TOKEN={SECRET}",
        f"export  METRICS_TOKEN={SECRET}",
        f"METRICS-TOKEN={SECRET}",
        f"set METRICS_TOKEN={SECRET}",
        f"={SECRET}",
        f"METRICS_TOKEN=a\0{SECRET}",
        SECRET,
    ],
)
def test_it_is_not_understood(
    line: str, file: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text(f"# a comment\nDOT_A=1\n\n{line}\nDOT_B=2\n")
    assert wrong(file) == ".env, line 4 is not NAME=value"
    assert SECRET not in "".join(capsys.readouterr()) + caplog.text
    assert "DOT_A" not in os.environ


def test_it_is_not_utf_8(file: Path) -> None:
    file.write_bytes(b"DOT_A=1\nDOT_B=\xfc\n")
    assert wrong(file) == ".env, line 2 is not UTF-8"


def test_it_cannot_be_read(file: Path) -> None:
    file.mkdir()
    assert wrong(file) == ".env cannot be read: Is a directory"
    (file.parent / "loop").symlink_to("loop")
    assert wrong(file.parent / "loop").startswith("loop cannot be read: ")


def test_it_need_not_be_there(file: Path) -> None:
    dotenv.read(file)
    (file.parent / "file").touch()
    dotenv.read(file.parent / "file" / ".env")


def test_the_example_is_understood(file: Path) -> None:
    dotenv.read(ROOT / ".env.example")


def test_the_reader_refuses_the_start(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("REGISTRATION_ACL = alice@example.org\n")
    with pytest.raises(SystemExit) as caught:
        Reader(file)
    assert caught.value.code == EXIT_CONFIG
    assert capsys.readouterr().err == "pushprovider: .env, line 1 is not NAME=value\n"


@pytest.mark.parametrize(
    "command",
    [["manage.py", "check"], ["-m", "daphne", "-p", "0", "upconfig.asgi:application"]],
    ids=["manage.py", "daphne"],
)
def test_a_process_ends_with_one_line_that_holds_no_secret(command: list[str], file: Path) -> None:
    file.write_text(f"METRICS_TOKEN = {SECRET}\n")
    done = python(*command, env=plain_environment() | ENVIRONMENT | {"DOTENV": str(file)})
    assert (done.returncode, done.stdout) == (EXIT_CONFIG, "")
    assert done.stderr == "pushprovider: .env, line 1 is not NAME=value\n"
