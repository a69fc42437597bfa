"""The guides' own examples, followed: what they say a configuration comes to, it does."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.guide import words
from tests.real.python import python
from tests.test_docs import read, table

#: The guide, its language, the file that its command names.
GUIDES = {
    "docs/migrate-from-up.md": ("json", "config.json"),
    "docs/migrate-from-prosody.md": ("lua", "/etc/prosody/prosody.cfg.lua"),
    "docs/migrate-from-ejabberd.md": ("yaml", "/etc/ejabberd/ejabberd.yml"),
}
#: What the guides leave to the operator.
CHOSEN = {
    "SECRET_KEY": "of this test only 0123456789 abcdefghijklmnop",
    "XMPP_COMPONENT_JID": "up.example.org",
    "XMPP_COMPONENT_SECRET": "CHANGE-ME",
}


def blocks(guide: str, language: str) -> list[str]:
    """Return the examples in a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", read(guide), re.MULTILINE | re.DOTALL)


EXAMPLES = [
    (guide, config, env)
    for guide, (language, _) in GUIDES.items()
    for config, env in zip(blocks(guide, language), blocks(guide, "ini"), strict=True)
]
EACH = pytest.mark.parametrize(
    ("guide", "config", "env"), EXAMPLES, ids=[f"{name[18:]}" for name, _, _ in EXAMPLES]
)


def follow(guide: str, config: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the guide's own command on its own example, on a machine without settings."""
    [written] = re.findall(
        r"^    \S+/python (manage\.py migrate_config .*) >> \.env$", read(guide), re.M
    )
    words = shlex.split(written)
    file = folder / Path(GUIDES[guide][1]).name
    file.write_text(config, encoding="utf-8")
    words[words.index(GUIDES[guide][1])] = str(file)
    if "--host" in words and "Component" not in config:
        words = words[: words.index("--host")]  # only one host has the module there
    return manage(words, {})


def manage(words: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return python(*words, env={"PATH": os.environ["PATH"], **env})


def test_the_install_guide_can_be_followed() -> None:
    """`make guide` does; here only that it knows the guide's words."""
    followed = words.script()
    assert "make-venv.sh" in followed
    assert "example.org/pushprovider.git" not in followed


def test_every_guide_has_examples() -> None:
    assert {guide for guide, _, _ in EXAMPLES} == set(GUIDES)


@EACH
def test_it_comes_to_what_the_guide_says(guide: str, config: str, env: str, tmp_path: Path) -> None:
    done = follow(guide, config, tmp_path)
    assert (done.returncode, done.stdout) == (0, env), done.stderr
    assert all(line.startswith("# ") for line in done.stderr.splitlines())


@EACH
def test_the_product_starts_with_it(guide: str, config: str, env: str, tmp_path: Path) -> None:
    settings = tmp_path / "env"
    settings.write_text(env, encoding="utf-8")
    look = "from upconfig import settings\nprint(settings.XMPP_COMPONENT_JID, settings.PUBLIC_URL)"
    missing = {name: value for name, value in CHOSEN.items() if f"{name}=" not in env}
    own = {
        "DOTENV": str(settings),
        "DATABASE_URL": f"sqlite:///{tmp_path}/x.sqlite3",
        "RUN_DIR": str(tmp_path),
    }
    done = manage(["-c", look], missing | own)
    assert done.returncode == 0, done.stderr
    said = dict(line.split("=", 1) for line in env.splitlines())
    jid = said.get("XMPP_COMPONENT_JID", CHOSEN["XMPP_COMPONENT_JID"])
    assert done.stdout.split() == [jid, said["PUBLIC_URL"]]


@pytest.mark.parametrize("guide", GUIDES)
def test_every_setting_that_a_guide_names_exists(guide: str) -> None:
    known = {cells[0].strip("`") for cells in table("docs/settings.md", "name")}
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", read(guide)))
    assert named - known == set()
