"""Which configuration a file is, and what it comes to."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from pushprovider.peerconfig import ejabberd, prosody, up
from pushprovider.peerconfig.result import BadConfig, Migrated

#: A larger file is no configuration.
MAX_BYTES = 1_000_000
_PROSODY = re.compile(
    r"^\s*(VirtualHost|Component|modules_enabled|unified_push_\w+|Include)\b", re.M
)


def migrate(path: Path, host: str = "") -> Migrated:
    """Return the settings that a configuration file comes to. Raises BadConfig."""
    text = read(path)
    if path.suffix == ".lua" or (path.suffix not in (".json", ".yml", ".yaml") and _is_lua(text)):
        return prosody.migrate(text, lambda name: included(path.parent, name), host)
    if text.lstrip().startswith("{"):
        config = _object(_json(text))
        return ejabberd.migrate(config, host) if "modules" in config else up.migrate(config)
    return ejabberd.migrate(_object(_yaml(text)), host)


def read(path: Path) -> str:
    """Return a file's text. Raises BadConfig."""
    try:
        if not path.is_file():
            raise BadConfig("there is no such file.")
        with path.open("rb") as file:
            octets = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadConfig(f"it cannot be read: {error.strerror}.") from None
    if len(octets) > MAX_BYTES:
        raise BadConfig(f"it has more than {MAX_BYTES} bytes.")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadConfig("it is not UTF-8 text.") from None


def included(folder: Path, name: str) -> list[str]:
    """Return the texts of the files that Prosody's Include names: a path, or a pattern."""
    if Path(name).is_absolute():
        folder, name = Path("/"), name.lstrip("/")
    if not name or ".." in Path(name).parts:
        raise BadConfig("an Include leads out of the folder.")
    found = sorted(folder.glob(name))
    return [read(path) for path in found if path.is_file()]


def _is_lua(text: str) -> bool:
    return _PROSODY.search(text) is not None and not text.lstrip().startswith("{")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BadConfig("it is not JSON.") from None


def _yaml(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise BadConfig(f"it is neither Prosody's, nor JSON, nor YAML{where}.") from None
    except (RecursionError, ValueError):
        raise BadConfig("it is neither Prosody's, nor JSON, nor YAML.") from None


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadConfig("it is no configuration of up, Prosody or ejabberd.")
    return value
