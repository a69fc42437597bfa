"""Who may register: REGISTRATION_ACL lists domains, bare JIDs, full JIDs, or `*` for anyone."""

from __future__ import annotations

from collections.abc import Collection


def bare(jid: str) -> str:
    """Return a full JID without its resource."""
    return jid.partition("/")[0]


def domain(jid: str) -> str:
    """Return a JID's domain."""
    return bare(jid).rpartition("@")[2]


def allows(acl: Collection[str], jid: str) -> bool:
    """True if one of the entries names the JID, its account or its domain."""
    return "*" in acl or jid in acl or bare(jid) in acl or domain(jid) in acl
