"""`python -m bench`: how fast Pushprovider is here, side by side with what it replaces.

Every part is a process of its own, as it would be in real life: Prosody, the HTTP server, the
component, all phones (phones.py), all application servers (load.py). wire.py is what those two
agree on; child.py talks to them. contenders.py has who competes, setting.py brings everything up
on loopback, turns.py decides who runs when, turn.py is one contender under one load, figures.py
what came of it, usage.py what it cost, report.py what is printed. It measures and judges nothing:
no figure fails.
"""
