"""What plays may expect of an XMPP server, whichever it is."""

from __future__ import annotations

from typing import Protocol

#: The one host every server serves, and the component it lets in.
HOST = "localhost"
COMPONENT_JID = "up.localhost"
COMPONENT_SECRET = "component-secret-7b1e"
#: How long a server keeps the session of a phone that vanished: short, so plays see its end.
HIBERNATION_SECONDS = 20


class XmppServer(Protocol):
    """A server with one host, one component, its own ports and its own data folder."""

    host: str
    component_jid: str
    component_secret: str
    c2s_port: int
    component_port: int
    hibernation_seconds: int

    def start(self) -> None:
        """Start it and return when its ports answer. Accounts and ports stay the same."""

    def stop(self) -> None:
        """Stop it in good order (SIGTERM)."""

    def kill(self) -> None:
        """Kill it (SIGKILL)."""

    def restart(self) -> None:
        """stop() and start()."""

    def add_user(self, name: str, password: str) -> None:
        """Make an account; the server may be running or not."""

    def log_text(self) -> str:
        """Return everything it logged."""
