"""The file .env: every line of it is understood, or the start ends. No line is ever shown."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import environ

#: What django-environ takes for a setting. Of any other line it would print all, secrets included,
#: and go on without it.
_SETTING = re.compile(r"(?:export )?[A-Za-z_0-9]+=[^\0]*")


class DotenvError(Exception):
    """The file cannot be used; the text says why, in words that hold nothing of its content."""


def read(file: Path) -> None:
    """Take the file's settings into the environment; what is set there already wins.

    A file that is not there is fine. Raises DotenvError.
    """
    name = file.name or str(file)
    try:
        content = file.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise DotenvError(f"{name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        number = error.object.count(b"\n", 0, error.start) + 1
        raise DotenvError(f"{name}, line {number} is not UTF-8") from None
    environ.Env.read_env(StringIO("\n".join(_settings(name, content))))


def _settings(name: str, content: str) -> list[str]:
    """Return the lines that are settings, without the empty ones and the comments."""
    settings = []
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not _SETTING.fullmatch(line):
            raise DotenvError(f"{name}, line {number} is not NAME=value")
        settings.append(line)
    return settings
