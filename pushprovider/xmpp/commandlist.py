"""Every ad-hoc command by its node."""

from __future__ import annotations

from functools import partial

from pushprovider.xmpp import operatorcommands as ops
from pushprovider.xmpp import usercommands as users
from pushprovider.xmpp.pages import Command, Fields, Page, Wrong


def _no_second_page(_jid: str, _fields: Fields, _now: int) -> Page:
    raise Wrong("bad-request", "This command has one page.")


COMMANDS: dict[str, Command] = {
    "my-endpoints": Command("My endpoints", users.my_endpoints, _no_second_page),
    "revoke": Command(
        "Revoke an endpoint",
        partial(users.choose, title="Revoke", instructions="Which one shall end?"),
        users.revoke,
    ),
    "test-push": Command(
        "Send me a test push",
        partial(users.choose, title="Test push", instructions="Where shall it go?"),
        users.send_test_push,
    ),
    "erase": Command("Erase my data", users.ask_to_erase, users.erase),
    "statistics": Command("Statistics", ops.statistics, _no_second_page, for_operators=True),
    "block": Command(
        "Block a user",
        partial(
            ops.ask_whom, title="Block", instructions="Nothing is accepted for a blocked user."
        ),
        ops.block,
        for_operators=True,
    ),
    "unblock": Command(
        "Unblock a user",
        partial(
            ops.ask_whom, title="Unblock", instructions="Endpoints that live still work again."
        ),
        ops.unblock,
        for_operators=True,
    ),
}
