"""deploy/ejabberd.yml, as the guides say to use it, in a real ejabberd."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.real.ejabberd import Ejabberd
from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import PROJECT, Provider
from tests.real.store import Store


class AsDeployed(Ejabberd):
    """Its component listener is the one of deploy/ejabberd.yml, but for port and password."""

    def _config(self) -> dict[str, object]:
        config = super()._config()
        listeners = config["listen"]
        assert isinstance(listeners, list)
        [ours] = example()["listen"]
        [(name, host)] = ours["hosts"].items()
        assert (name, host) == ("up.example.org", {"password": "CHANGE-ME"})
        hosts = {self.component_jid: {"password": self.component_secret}}
        listeners[1] = ours | {"port": self.component_port, "hosts": hosts}
        return config


def example() -> dict[str, Any]:
    text = (PROJECT / "deploy/ejabberd.yml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@play
async def test_the_component_connects_and_pushes(tmp_path: Path, migrated: Store) -> None:
    server = AsDeployed(tmp_path / "server", users={"juliet": "secret"})
    server.start()
    provider = Provider(tmp_path, server, migrated=migrated)
    try:
        provider.start()
        async with Phone(server) as phone:
            endpoint = (await phone.register()).endpoint
            for number in range(50):  # a shaper would hold these up for seconds
                assert (await provider.post(endpoint, b"%d" % number * 1000)).status_code == 201
            assert [(await phone.next_push(5)).payload[:1] for _ in range(50)]
    finally:
        provider.close()
        server.kill()
    provider.assert_clean_logs()


def test_the_readme_shows_the_same_listener() -> None:
    shown = (PROJECT / "README.md").read_text(encoding="utf-8").partition("which is\n\n    listen:")
    block = "    listen:" + shown[2].partition("\n\n")[0]
    assert yaml.safe_load(block) == example()
