"""The store: the only writer of messages and registrations.

Plain synchronous functions, each one transaction. Async code calls them in the database thread.
"""
