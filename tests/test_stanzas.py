"""XML in, XML out. Pure functions; a real XML parser stands for the server."""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import datetime
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pushprovider.store.post import new_uid
from pushprovider.xmpp import stanzas
from tests.cast import hashed

OWN = "up.localhost"
PHONE = "juliet@localhost/phone"
NS = f"{{{stanzas.PUSH}}}"

#: Whatever XML 1.0 can carry (section 2.2).
xml_text = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=40
)
#: JIDs with every character that XMPP allows, and then some.
jids = st.builds(
    "{}@{}/{}".format,
    xml_text.filter(lambda part: part and "@" not in part and "/" not in part),
    st.sampled_from(
        ["localhost", "m\N{LATIN SMALL LETTER U WITH DIAERESIS}nchen.example", "[::1]"]
    ),
    xml_text.filter(bool),
)


def read(text: str, sender: str = PHONE) -> stanzas.Stanza | None:
    """Read a stanza as it comes from the server."""
    xml = ET.fromstring(f"<stream xmlns='{stanzas.COMPONENT}'>{text}</stream>")[0]
    xml.set("from", sender)
    return stanzas.read(xml, OWN)


def test_it_works() -> None:
    uid = new_uid()
    assert read(f"<iq type='result' id='{uid}' to='{OWN}'/>") == stanzas.Result(uid, PHONE)


# --- in -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inside", "condition"),
    [
        ("<error type='cancel'><item-not-found xmlns='{}'/></error>", "item-not-found"),
        ("<error><text xmlns='{}'>no</text><gone xmlns='{}'/></error>", "gone"),
        ("<error xmlns='jabber:client'><gone xmlns='{}'/></error>", "gone"),
        ("<push/><error><x xmlns='urn:x'/><gone xmlns='{}'/></error>", "gone"),
        ("<error type='cancel'/>", "undefined-condition"),
        ("<error><item-not-found xmlns='urn:x'/></error>", "undefined-condition"),
        ("<item-not-found xmlns='{}'/>", "undefined-condition"),
        ("", "undefined-condition"),
    ],
)
def test_an_error_has_a_condition(inside: str, condition: str) -> None:
    uid = new_uid()
    text = f"<iq type='error' id='{uid}'>{inside.replace('{}', stanzas.STANZAS)}</iq>"
    assert read(text) == stanzas.StanzaError(uid, PHONE, condition)


@pytest.mark.parametrize("uid", ["", "1", "ping-1", "A" * 36, "0" * 35, "0" * 37, "0" * 35 + "."])
def test_a_result_with_another_id_is_somebody_elses(uid: str) -> None:
    assert read(f"<iq type='result' id='{uid}'/>") is None


def test_presence() -> None:
    assert read("<presence/>") == stanzas.Presence(PHONE, available=True)
    assert read("<presence type='unavailable'/>") == stanzas.Presence(PHONE, available=False)
    for kind in ("subscribe", "probe", "error", "unsubscribed"):
        assert read(f"<presence type='{kind}'/>") is None
    assert read("<presence/>", "juliet@localhost") is None


def test_a_register() -> None:
    inside = f"<register xmlns='{stanzas.PUSH}' application='a' instance='b' vapid='c' x='d'/>"
    text = f"<iq type='set' id='r1' to='{OWN}'>{inside}</iq>"
    assert read(text) == stanzas.Register("r1", PHONE, "a", "b", "c")


def test_a_register_says_what_it_lacks() -> None:
    text = f"<iq type='set' to='{OWN}'><register xmlns='{stanzas.PUSH}'/></iq>"
    assert read(text) == stanzas.Register("", PHONE, None, None, None)


@pytest.mark.parametrize(
    "text",
    [
        f"<iq type='get' id='1' to='{OWN}'><register xmlns='{stanzas.PUSH}'/></iq>",
        f"<iq type='set' id='1' to='{OWN}'><register xmlns='urn:x'/></iq>",
        f"<iq type='set' id='1' to='{OWN}'><x><register xmlns='{stanzas.PUSH}'/></x></iq>",
        f"<iq type='set' id='1' to='other.localhost'><register xmlns='{stanzas.PUSH}'/></iq>",
        f"<iq type='get' id='1' to='{OWN}'><ping xmlns='urn:xmpp:ping'/></iq>",
        f"<message to='{OWN}'><body>hi</body></message>",
        "<iq/>",
        "<x xmlns='urn:x' id='1'/>",
    ],
)
def test_what_is_somebody_elses(text: str) -> None:
    assert read(text) is None


def test_a_stanza_without_a_sender_is_nobodys() -> None:
    assert read(f"<iq type='result' id='{new_uid()}'/>", "") is None


def element(text: str) -> ET.Element:
    return ET.fromstring(f"<stream xmlns='{stanzas.COMPONENT}'>{text}</stream>")[0]


@pytest.mark.parametrize(
    ("text", "is_its"),
    [
        (f"<iq type='get' from='{PHONE}' to='{OWN}'><ping xmlns='urn:xmpp:ping'/></iq>", True),
        (f"<iq type='set' from='{PHONE}' to='{OWN}'><ping xmlns='urn:xmpp:ping'/></iq>", False),
        (f"<iq type='get' from='{PHONE}' to='a@{OWN}'><ping xmlns='urn:xmpp:ping'/></iq>", False),
        (f"<iq type='get' to='{OWN}'><ping xmlns='urn:xmpp:ping'/></iq>", False),
        (f"<iq type='get' from='{PHONE}' to='{OWN}'><query xmlns='urn:x'/></iq>", False),
        (f"<iq type='result' from='{PHONE}' to='{OWN}'/>", False),
        (f"<presence type='subscribe' from='{PHONE}' to='{OWN}'/>", False),
        (f"<message from='{PHONE}' to='{OWN}'/>", False),
        ("<handshake/>", True),
        ("<other/>", False),
        ("<error xmlns='http://etherx.jabber.org/streams'/>", True),
    ],
)
def test_little_is_left_to_slixmpp(text: str, is_its: bool) -> None:
    assert stanzas.is_for_slixmpp(element(text), OWN) is is_its


def test_a_question_that_nobody_answers_is_refused() -> None:
    text = stanzas.refusal(element(f"<iq type='get' id='q' from='{PHONE}' to='a@{OWN}'/>"))
    answer = ET.fromstring(text or "")
    assert (answer.get("id"), answer.get("from")) == ("q", f"a@{OWN}")
    assert (answer.get("to"), stanzas.condition(answer)) == (PHONE, "feature-not-implemented")


@pytest.mark.parametrize("start", ["iq type='result'", "iq type='error'", "iq", "presence", "x"])
def test_what_is_no_question_is_not_refused(start: str) -> None:
    assert stanzas.refusal(element(f"<{start} from='{PHONE}' to='{OWN}'/>")) is None
    assert stanzas.refusal(element(f"<iq type='get' to='{OWN}'/>")) is None


def test_our_own_ping_comes_back() -> None:
    text = stanzas.own_ping("ping-1", OWN)
    assert read(text, OWN) == stanzas.Own("ping-1")
    assert read("<iq type='result' id='ping-1'/>", OWN) == stanzas.Own("ping-1")


def pushed_to(device: str, kind: str = "set") -> str:
    """Return a push IQ as it comes back to us through the server."""
    return f"<iq type='{kind}' id='u' to='{device}'><push xmlns='{stanzas.PUSH}'/></iq>"


def test_a_push_to_the_doctors_device_is_ours_to_answer() -> None:
    device = f"doctor-1a@{OWN}/loop"
    assert read(pushed_to(device), OWN) == stanzas.Echo("u", device)
    answer = ET.fromstring(stanzas.result("u", device, OWN))
    assert (answer.get("type"), answer.get("from"), answer.get("to")) == ("result", device, OWN)


@pytest.mark.parametrize("sender", [PHONE, "localhost", f"juliet@{OWN}/phone"])
def test_nobody_else_can_have_the_doctors_device_answer(sender: str) -> None:
    assert read(pushed_to(f"doctor-1a@{OWN}/loop"), sender) is None


@pytest.mark.parametrize("device", [OWN, f"juliet@{OWN}/phone", f"doctor-1a@{OWN}.example/loop"])
def test_other_addresses_are_not_the_doctors(device: str) -> None:
    assert not isinstance(read(pushed_to(device), OWN), stanzas.Echo)


@given(
    st.recursive(xml_text, lambda inner: st.tuples(st.sampled_from(["a", "error", "iq"]), inner))
)
def test_reading_never_fails(tree: object) -> None:
    def element(node: object) -> ET.Element:
        tag, inner = node if isinstance(node, tuple) else ("register", node)
        made = ET.Element(f"{{{stanzas.PUSH}}}{tag}", {"application": str(inner)})
        if isinstance(inner, tuple):
            made.append(element(inner))
        return made

    for name in ("iq", "presence", "message"):
        for kind in ("set", "error", "result", "unavailable"):
            top = ET.Element(
                f"{{{stanzas.COMPONENT}}}{name}", {"from": PHONE, "type": kind, "to": OWN}
            )
            top.set("id", "0" * 36)
            top.append(element(tree))
            stanzas.read(top, OWN)
            stanzas.condition(top)


# --- out ------------------------------------------------------------------------------------------


@given(jids, st.binary(max_size=300))
@example("d'artagnan@localhost/\"<&>'", b"]]>")
@example("juliet@localhost/]]>\N{SNOWMAN}\U0001f600", b"")
@example("juliet@localhost/ two  spaces ", b"\0")
def test_a_push_arrives_as_it_was_written(jid: str, payload: bytes) -> None:
    uid = new_uid()
    assert stanzas.is_writable(jid)
    text = stanzas.push(uid, OWN, jid, hashed("chat"), hashed("first"), payload)
    iq = ET.fromstring(text.encode())
    assert iq.attrib == {"type": "set", "id": uid, "from": OWN, "to": jid}
    [push] = iq
    assert push.tag == f"{NS}push"
    assert push.attrib == {"application": hashed("chat"), "instance": hashed("first")}
    assert b64decode(push.text or "", validate=True) == payload


@given(xml_text, jids, st.integers(min_value=0, max_value=4_000_000_000_000))
@example("'\"<&>", PHONE, 1_798_020_930_123)
def test_an_answer_arrives_as_it_was_written(id_: str, jid: str, expires_at: int) -> None:
    text = stanzas.registered(id_, OWN, jid, "https://push.example.org/push/a?b&c", expires_at)
    iq = ET.fromstring(text.encode())
    assert iq.attrib == {"type": "result", "id": id_, "from": OWN, "to": jid}
    registered = iq[0]
    assert registered.tag == f"{NS}registered"
    assert registered.get("endpoint") == "https://push.example.org/push/a?b&c"
    moment = datetime.fromisoformat(registered.get("expiration", ""))
    assert round(moment.timestamp() * 1000) == expires_at


def test_an_expiration_has_milliseconds() -> None:
    text = stanzas.registered("1", OWN, PHONE, "https://x", 1_798_020_930_007)
    assert "expiration='2026-12-23T10:15:30.007Z'" in text


@given(xml_text, jids, xml_text)
@example("'\"<&>", PHONE, "<no> & ]]>")
def test_an_error_arrives_as_it_was_written(id_: str, jid: str, text: str) -> None:
    iq = ET.fromstring(stanzas.error(id_, OWN, jid, "wait", "gone", text).encode())
    assert iq.attrib == {"type": "error", "id": id_, "from": OWN, "to": jid}
    assert stanzas.condition(iq) == "gone"
    assert iq[0].findtext(f"{{{stanzas.STANZAS}}}text") == text


@pytest.mark.parametrize("character", ["\0", "\x07", "\x1b", "\ud800", "\ufffe", "\uffff"])
def test_what_xml_cannot_carry_is_known(character: str) -> None:
    assert not stanzas.is_writable(f"juliet@localhost/a{character}b")


@given(st.text(st.characters(max_codepoint=0x10FFFF), max_size=20))
def test_a_parser_takes_whatever_is_writable(text: str) -> None:
    if stanzas.is_writable(text):
        sent = stanzas.own_ping("1", text)
        assert ET.fromstring(sent.encode()).get("to") == text


# --- base64 of 32 bytes ---------------------------------------------------------------------------


@given(st.binary(min_size=32, max_size=32))
def test_32_bytes(octets: bytes) -> None:
    assert stanzas.is_32_bytes(b64encode(octets).decode())


@given(st.binary(max_size=64).filter(lambda octets: len(octets) != 32))
def test_not_32_bytes(octets: bytes) -> None:
    assert not stanzas.is_32_bytes(b64encode(octets).decode())


@given(st.text(max_size=50))
@example("A" * 44)
@example("=" * 44)
@example("A" * 42 + "B=")  # stray bits
@example("A" * 43 + "\n")
def test_no_text_is_32_bytes(text: str) -> None:
    assert not stanzas.is_32_bytes(text)
    assert not stanzas.is_32_bytes(None)
