"""A private ejabberd on loopback: as tests/real/prosody.py, with the same public interface."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import httpx

from tests.real.ports import LOOPBACK, answers, free_ports
from tests.real.process import ManagedProcess, plain_environment
from tests.real.xmpp_server import COMPONENT_JID, COMPONENT_SECRET, HIBERNATION_SECONDS, HOST

#: Where Debian keeps ejabberd's compiled modules.
ERL_LIBS = "/usr/lib/x86_64-linux-gnu"


class Ejabberd:
    """ejabberd in the foreground, started by `erl` itself.

    `ack_seconds` is how long a resumable phone may leave a request for an ack unanswered,
    `component_stanza_limit` the size in bytes above which a stanza ends the component's stream.

    Debian's ejabberdctl would switch to the user ejabberd and start epmd. Without a node name
    there is no distribution: no epmd, no cookie, and several can run side by side.
    """

    def __init__(
        self,
        folder: Path,
        *,
        users: Mapping[str, str] | None = None,
        host: str = HOST,
        component_jid: str = COMPONENT_JID,
        component_secret: str = COMPONENT_SECRET,
        hibernation_seconds: int = HIBERNATION_SECONDS,
        ack_seconds: int | None = None,
        component_stanza_limit: int | None = None,
    ) -> None:
        self._ack_seconds = ack_seconds
        self._component_stanza_limit = component_stanza_limit
        self.host = host
        self.component_jid = component_jid
        self.component_secret = component_secret
        self.hibernation_seconds = hibernation_seconds
        self.c2s_port, self.component_port, self._api_port = free_ports(3)
        self._users = dict(users or {})
        spool = folder / "ejabberd-spool"
        spool.mkdir(parents=True)
        config = folder / "ejabberd.yml"
        config.write_text(json.dumps(self._config(), indent=2), encoding="utf-8")  # JSON is YAML
        inetrc = folder / "inetrc"
        inetrc.write_text("{lookup,[file,native]}.\n", encoding="ascii")
        env = plain_environment() | {
            "EJABBERD_CONFIG_PATH": str(config),
            "EJABBERD_LOG_PATH": str(folder / "ejabberd-own.log"),
            "ERL_LIBS": ERL_LIBS,
            "ERL_INETRC": str(inetrc),
            "ERL_CRASH_DUMP_BYTES": "0",
        }
        # One scheduler and no busy waiting: the tests share the machine with everything else.
        vm = ["+S", "1:1", "+sbwt", "none", "+K", "true"]
        argv = ["erl", "-noinput", *vm, "-mnesia", "dir", json.dumps(str(spool)), "-s", "ejabberd"]
        self.process = ManagedProcess("ejabberd", argv, env, folder, folder / "ejabberd.log")

    def start(self) -> None:
        """Start it and return when phones and the component can connect."""
        ports = (self.c2s_port, self.component_port, self._api_port)
        self.process.start(lambda: all(answers(port) for port in ports), seconds=40)
        for name in self._users:  # every time: its store may forget the newest when it is killed
            self._register(name)

    def stop(self) -> None:
        """Stop it in good order (SIGTERM)."""
        self.process.terminate(seconds=30)

    def kill(self) -> None:
        """Kill it (SIGKILL)."""
        self.process.kill()

    def restart(self) -> None:
        """Stop and start it: same ports, same accounts."""
        self.stop()
        self.start()

    def add_user(self, name: str, password: str) -> None:
        """Make an account, now or at the next start."""
        self._users[name] = password
        if self.process.running:
            self._register(name)

    def log_text(self) -> str:
        """Return everything it logged."""
        return self.process.log_text()

    def _register(self, name: str) -> None:
        """Ask ejabberd's own administration interface for the account."""
        account = {"user": name, "host": self.host, "password": self._users[name]}
        url = f"http://{LOOPBACK}:{self._api_port}/api/register"
        answer = httpx.post(url, json=account, trust_env=False, verify=False)
        assert answer.status_code in (200, 409), answer.text

    def _config(self) -> dict[str, object]:
        component = {self.component_jid: {"password": self.component_secret}}
        limit: dict[str, object] = {}
        if self._component_stanza_limit:
            limit["max_stanza_size"] = self._component_stanza_limit
        management = {"resume_timeout": self.hibernation_seconds}
        if self._ack_seconds:
            management["ack_timeout"] = self._ack_seconds
        return {
            "hosts": [self.host],
            "loglevel": "info",
            "auth_method": "internal",
            "auth_password_format": "plain",
            "listen": [
                _listener(self.c2s_port, "ejabberd_c2s", access="c2s", shaper="none"),
                _listener(
                    self.component_port,
                    "ejabberd_service",
                    access="all",
                    shaper_rule="none",
                    hosts=component,
                    **limit,
                ),
                _listener(
                    self._api_port, "ejabberd_http", request_handlers={"/api": "mod_http_api"}
                ),
            ],
            "acl": {"loopback": {"ip": ["127.0.0.1/8"]}},
            "access_rules": {"c2s": {"allow": "all"}},
            "api_permissions": {
                "tests": {"who": {"access": {"allow": {"acl": "loopback"}}}, "what": ["register"]}
            },
            "modules": {
                "mod_disco": {},
                "mod_offline": {},
                "mod_ping": {},
                "mod_roster": {},
                "mod_stream_mgmt": management,
            },
        }


def _listener(port: int, module: str, **options: object) -> dict[str, object]:
    return {"port": port, "ip": LOOPBACK, "module": module, **options}
