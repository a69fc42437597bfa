"""Data forms (XEP-0004): fields to XML text and back. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from pushprovider.xmpp.stanzas import is_writable

NAMESPACE = "jabber:x:data"


@dataclass(frozen=True, slots=True)
class Field:
    """One field (section 3.2). `options` are (value, label) of a list-single."""

    var: str
    label: str
    kind: str = "text-single"
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()
    required: bool = False


def form(title: str, instructions: str, fields: Sequence[Field]) -> str:
    """Return a form to fill in."""
    inside = f"<instructions>{text(instructions)}</instructions>" + "".join(map(_field, fields))
    return f"<x xmlns='{NAMESPACE}' type='form'><title>{text(title)}</title>{inside}</x>"


def result(title: str, fields: Sequence[Field]) -> str:
    """Return a result of single values."""
    inside = "".join(map(_field, fields))
    return f"<x xmlns='{NAMESPACE}' type='result'><title>{text(title)}</title>{inside}</x>"


def table(title: str, columns: dict[str, str], rows: Sequence[Sequence[str]]) -> str:
    """Return a result of several items (section 3.4). `columns` are labels by var."""
    head = "".join(f"<field var='{var}' label={_quoted(name)}/>" for var, name in columns.items())
    items = "".join(
        "<item>"
        + "".join(
            f"<field var='{var}'><value>{text(value)}</value></field>"
            for var, value in zip(columns, row, strict=True)
        )
        + "</item>"
        for row in rows
    )
    return (
        f"<x xmlns='{NAMESPACE}' type='result'><title>{text(title)}</title>"
        f"<reported>{head}</reported>{items}</x>"
    )


def submitted(parent: Element) -> dict[str, str] | None:
    """Return the first value of each field of a submitted form; None without such a form."""
    x = parent.find(f"{{{NAMESPACE}}}x")
    if x is None or x.get("type") != "submit":
        return None
    fields = x.findall(f"{{{NAMESPACE}}}field")
    return {f.get("var", ""): (f.findtext(f"{{{NAMESPACE}}}value") or "").strip() for f in fields}


def text(value: str) -> str:
    """Return character data that XML can carry, whatever the value holds."""
    return escape(_writable(value))


def _quoted(value: str) -> str:
    return quoteattr(_writable(value))


def _writable(value: str) -> str:
    if is_writable(value):
        return value
    return "".join(char if is_writable(char) else "\ufffd" for char in value)


def _field(field: Field) -> str:
    inside = "<required/>" if field.required else ""
    if field.value:
        inside += f"<value>{text(field.value)}</value>"
    for value, label in field.options:
        inside += f"<option label={_quoted(label)}><value>{text(value)}</value></option>"
    label = _quoted(field.label)
    return f"<field var='{field.var}' type='{field.kind}' label={label}>{inside}</field>"
