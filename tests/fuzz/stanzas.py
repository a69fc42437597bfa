"""Hypothesis strategies: stanzas that a server might pass on, and that nobody sends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from hypothesis import strategies as st

from tests.cast import hashed

OWN = "up.localhost"
PUSH = "http://gultsch.de/xmpp/drafts/unified-push"
COMMANDS = "http://jabber.org/protocol/commands"
NODES = ("my-endpoints", "revoke", "test-push", "erase", "statistics", "block", "unblock")
NAMESPACES = (
    PUSH,
    COMMANDS,
    "http://jabber.org/protocol/disco#info",
    "http://jabber.org/protocol/disco#items",
    "jabber:x:data",
    "urn:xmpp:ping",
    "jabber:iq:version",
    "jabber:client",
    "jabber:component:accept",
    "vcard-temp",
    "urn:ietf:params:xml:ns:xmpp-stanzas",
    "urn:x",
    "",
)
NAMES = (
    *("register", "push", "registered", "command", "query", "x", "field", "value", "ping"),
    *("error", "text", "item-not-found", "gone", "actions", "iq", "message", "a"),
)

#: Whatever XML 1.0 can carry (section 2.2).
text = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="￾￿"), max_size=30)
short = st.one_of(
    text,
    st.sampled_from([hashed("chat"), hashed("first"), "", "1", "0", "true", *NODES]),
    st.sampled_from([300, 3000]).map("x".__mul__),
)
attributes = st.dictionaries(
    st.sampled_from(
        ["application", "instance", "vapid", "node", "action", "sessionid", "type", "var", "id"]
    ),
    short,
    max_size=4,
)
senders = st.sampled_from(
    [
        "juliet@localhost/phone",
        "juliet@localhost/'\"<&> ]]>",
        "juliet@localhost",
        "romeo@localhost/orchard",
        "eve@evil.example/x",
        "m\N{LATIN SMALL LETTER U WITH DIAERESIS}ller@localhost/\N{SNOWMAN}",
        "a@localhost/" + "r" * 1000,
        "localhost",
        "evil.example/only",
        OWN + "/resource",
    ]
)


@dataclass(frozen=True)
class Made:
    """A stanza as text, and what is known of it."""

    tag: str
    kind: str | None
    id: str
    sender: str
    to: str
    xml: str

    @property
    def must_be_answered(self) -> bool:
        """RFC 6120 section 8.2.3: a get or set of a well-formed IQ."""
        return self.tag == "iq" and self.kind in ("get", "set")


def element(name: str, namespace: str, attrs: dict[str, str], inside: Sequence[str]) -> str:
    written = "".join(f" {key}={quoteattr(value)}" for key, value in attrs.items())
    ns = f" xmlns={quoteattr(namespace)}" if namespace else ""
    return f"<{name}{ns}{written}>{''.join(inside)}</{name}>"


leaves = st.one_of(
    text.map(escape),
    st.builds(
        element, st.sampled_from(NAMES), st.sampled_from(NAMESPACES), attributes, st.just([])
    ),
)
children = st.recursive(
    leaves,
    lambda inner: st.builds(
        element,
        st.sampled_from(NAMES),
        st.sampled_from(NAMESPACES),
        attributes,
        st.lists(inner, max_size=3),
    ),
    max_leaves=8,
)
registers = st.builds(
    lambda attrs: element("register", PUSH, attrs, []),
    st.one_of(
        attributes,
        st.just({"application": hashed("chat"), "instance": hashed("first")}),
    ),
)
forms = st.lists(st.tuples(short, short), max_size=3).map(
    lambda fields: element(
        "x",
        "jabber:x:data",
        {"type": "submit"},
        [element("field", "", {"var": v}, [f"<value>{escape(w)}</value>"]) for v, w in fields],
    )
)
commands = st.builds(
    lambda node, attrs, inside: element("command", COMMANDS, {**attrs, "node": node}, inside),
    st.one_of(st.sampled_from(NODES), short),
    st.fixed_dictionaries(
        {},
        optional={
            "action": st.one_of(st.sampled_from(["execute", "complete", "cancel", "prev"]), short),
            "sessionid": short,
        },
    ),
    st.lists(forms, max_size=2),
)
asked = st.builds(
    lambda namespace, attrs: element("query", namespace, attrs, []),
    st.sampled_from(NAMESPACES[2:8]),
    attributes,
)


@st.composite
def stanzas(draw: st.DrawFn) -> Made:
    """Return a stanza. Its id is unlike any other's, so that the answer can be told."""
    tag = draw(st.sampled_from(["iq", "iq", "iq", "presence", "message", "other"]))
    kinds: list[str | None] = ["get", "set", "result", "error", "", "subscribe", "probe", None]
    kind = draw(st.sampled_from(["get", "set"]) if tag == "iq" else st.sampled_from(kinds))
    if tag == "iq" and draw(st.booleans()):
        kind = draw(st.sampled_from(kinds))
    id_ = draw(short) + "-" + draw(st.uuids()).hex
    sender, to = draw(senders), draw(st.sampled_from([OWN, OWN, OWN, f"user@{OWN}", f"{OWN}/r"]))
    inside = draw(st.lists(st.one_of(registers, commands, asked, children), max_size=2))
    attrs = {"from": sender, "to": to, "id": id_}
    if kind is not None:
        attrs["type"] = kind
    namespace = draw(st.sampled_from(["", "", "jabber:client"]))
    return Made(tag, kind, id_, sender, to, element(tag, namespace, attrs, inside))
