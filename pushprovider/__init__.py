"""Pushprovider: a UnifiedPush provider over XMPP."""

__version__ = "0.1.0"
