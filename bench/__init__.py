"""`python -m bench`: how fast Pushprovider is here, side by side with what it replaces.

Every part is a process of its own, as it would be in real life: Prosody, the HTTP server, the
component, all phones (phones.py, phone.py), all application servers (load.py, http.py; pacing.py
for fixed rates). wire.py is what those two agree on; child.py talks to them.

contenders.py has who competes, over stores.py; ceiling.py is a contender of the bench's own.
setting.py brings everything up on loopback. turn.py is one contender under one load; who runs when
and under what: turns.py (closed and open loop), population.py (real life), scaling.py (several
processes), growth.py (full stores, by fill.py). figures.py is what came of a turn, usage.py what
it cost; report.py with tables.py what is printed, results.py what is kept, plots.py with svg.py
what is drawn. options.py is the command line. It measures and judges nothing: no figure fails.
"""
