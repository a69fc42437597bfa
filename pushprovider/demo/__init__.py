"""`manage.py demo`: the whole of Pushprovider on loopback, with a Prosody and a phone of its own.

children.py starts, watches and stops processes; prosody.py is the private XMPP server; server.py
is Pushprovider itself; phone.py plays the phone; sender.py plays the application server; show.py
is the play.
"""
