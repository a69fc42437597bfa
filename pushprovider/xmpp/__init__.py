"""The XMPP leg: an external component (XEP-0114) that phones register with."""
