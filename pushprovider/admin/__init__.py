"""What operators see and do, over Django's own admin."""

# Until all of the modules are there (the tree must stay importable for the others), import only
# those that are: accounts, audit, endpoints, groups, messages, people
import contextlib
import importlib

for _name in ("accounts", "audit", "endpoints", "groups", "messages", "people"):
    with contextlib.suppress(ModuleNotFoundError):
        importlib.import_module(f"pushprovider.admin.{_name}")
