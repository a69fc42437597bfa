"""The soak: many phones, many senders, random failures, and a ledger that must add up.

The story is world.py; what may be true at the end is audit.py and duplicates.py.
"""
