"""`make guide`: docs/install-debian.md followed word by word on a machine with nothing on it.

The machine is a container with a systemd of its own, made by debootstrap. Needs root, Debian's
packages debootstrap and systemd-container, the network for Debian's and Python's packages, and
the ports 80, 443, 5222, 5269, 5280, 5347 and 8000 of this machine, which they share.
"""
