"""What to do about each finding of the doctor, by its code. docs/doctor.md has the same codes."""

from __future__ import annotations

_NOTHING_LOST = "Messages are accepted and wait."
_PROXY = "deploy/nginx.conf and deploy/Caddyfile show a proxy that works."

REMEDIES: dict[str, str] = {
    # --- this machine ---
    "user.other": "Run the doctor as the user that the processes run as: "
    "sudo -u USER .venv/bin/python manage.py doctor",
    "rundir.missing": "Make the folder RUN_DIR, owned by the user that the processes run as; "
    "systemd does with RuntimeDirectory=.",
    "rundir.unwritable": "Give RUN_DIR to the user that the processes run as.",
    "database.missing": "Run `manage.py migrate`, if this is a new installation. If not: does "
    "DATABASE_URL name the right file?",
    "clock.backwards": "Put the clock right (timedatectl). If it was wrong before and is right "
    "now, this passes by itself.",
    "clock.differs": "Run a time service, such as systemd-timesyncd or chrony: signatures of "
    "application servers (RFC 8292) are refused when the clock is 5 minutes off.",
    "clock.unsynchronised": "Run a time service, such as systemd-timesyncd or chrony.",
    # --- the component ---
    "component.not-running": f"Start `manage.py runxmppcomponent`. {_NOTHING_LOST}",
    "component.hung": "A process holds the lock in RUN_DIR but has not told of itself for long: "
    f"read its log, restart runxmppcomponent. {_NOTHING_LOST}",
    "component.wrong-secret": "Put the same secret into XMPP_COMPONENT_SECRET and the XMPP "
    "server's configuration (component_secret, or password in ejabberd.yml), reload the server, "
    "restart runxmppcomponent. ejabberd says the same of a component that it does not know at all.",
    "component.unknown": "Add a component of the name XMPP_COMPONENT_JID to the XMPP server "
    "(deploy/prosody.cfg.lua), and reload it. A name that is a host for users cannot be a "
    "component, too.",
    "component.conflict": "Another program is connected under this name: an old provider, or a "
    "second installation with another RUN_DIR or database. Stop it. On ejabberd it also means "
    "that XMPP_COMPONENT_JID is one of the server's own hosts.",
    "component.refused": "Is the XMPP server up, and does it accept components at "
    "XMPP_COMPONENT_HOST and XMPP_COMPONENT_PORT? Prosody: component_ports, "
    "component_interfaces; ejabberd: a listener with module ejabberd_service.",
    "component.unresolved": "XMPP_COMPONENT_HOST is a name that cannot be resolved here.",
    "component.silent": "Something listens at XMPP_COMPONENT_HOST and XMPP_COMPONENT_PORT but "
    "does not speak the component protocol (XEP-0114), or hangs. Is it the right port?",
    "component.wrong-port": "An XMPP server listens at XMPP_COMPONENT_PORT, but not for "
    "components: that is its port for clients or servers. The usual one is 5347.",
    "component.stream-error": "The XMPP server closed the stream; its log has more.",
    "component.lost": "The XMPP server closed the connection; its log has more.",
    # --- service discovery ---
    "disco.silent": "A stanza to our own name does not come back through the XMPP server. Is "
    "XMPP_COMPONENT_JID also a host of the server, or does a module or firewall drop stanzas?",
    "disco.unlisted": "Clients that browse the server do not find the component; a name that is "
    "typed works. Prosody lists components below a host by itself; others by "
    "disco_items = {{ 'up.example.org' }}.",
    # --- the way in ---
    "certificate.bad": "Application servers refuse to push without a good certificate. Renew it "
    "(certbot renew, or Caddy does it alone), give the proxy the full chain, reload the proxy.",
    "certificate.soon": "Is the automatic renewal still working? (systemctl list-timers)",
    "certificate.unchecked": "This server could not reach PUBLIC_URL to look at it.",
    "web.unresolved": "The host of PUBLIC_URL has no address in DNS.",
    "web.refused": "Nothing answers at PUBLIC_URL. Is the reverse proxy up, and the firewall open? "
    "If it works from elsewhere, your router does not let you reach your own public address: give "
    "the name a local address in /etc/hosts.",
    "web.timeout": "No answer within 10 seconds: firewall, or a process that hangs?",
    "web.redirect": "Senders take a redirect for the end of an endpoint. Serve /push/ and "
    f"/message/ at PUBLIC_URL itself, without one, or set PUBLIC_URL to where it leads. {_PROXY}",
    "web.login": "Take the login or the access rule away from /push/ and /message/: senders have "
    "none.",
    "web.down": "The proxy works, the web process does not: start daphne, and see that the "
    "proxy's upstream is where it listens.",
    "web.foreign": "Something else answers at PUBLIC_URL. Pass /push/ and /message/ to daphne, "
    f"with their paths unchanged. {_PROXY}",
    "web.other-server": "Another Pushprovider answers there, or the web process runs with another "
    "SECRET_KEY or an older version: restart it.",
    "proxy.request-headers": "The proxy takes headers out of requests, or changes them: pass "
    f"them all on. {_PROXY}",
    "proxy.answer-headers": f"The proxy takes headers out of answers, or changes them. {_PROXY}",
    "proxy.cors": "The proxy removes, changes or doubles Access-Control- headers. Pushprovider "
    "sets them itself, on every answer.",
    "proxy.body-small": "Raise the proxy's limit on bodies; 128 kB are good "
    "(nginx: client_max_body_size 128k).",
    "proxy.body-unlimited": "Set a limit on bodies in the proxy, 128 kB say: without it anybody "
    "can fill this server's memory.",
    "proxy.body-changed": "The proxy changes bodies (unpacks gzip, say). They are encrypted for "
    "the phone and must pass as they are.",
    "proxy.error-pages": "The proxy puts its own pages in place of our errors, and senders read "
    "those (nginx: proxy_intercept_errors off).",
    "proxy.options": "Let OPTIONS through to daphne on /push/: browsers ask before they push.",
    "proxy.method": "Let POST, PUT, GET, HEAD, DELETE and OPTIONS through on /push/ and /message/.",
    "proxy.websocket": "Pass the Upgrade and Connection headers on at /ws/: the admin's live view "
    f"needs it. {_PROXY}",
    "proxy.matrix": "Pass /_matrix/push/ to daphne if Matrix apps shall push here; beside a "
    "homeserver of the same host name that path alone.",
    "proxy.scheme": "Have the proxy set X-Forwarded-Proto: https, else the admin refuses its own "
    "forms.",
    "proxy.host": "Have the proxy pass the Host header on, or add that name to ALLOWED_HOSTS: "
    "else the admin's pages answer 400.",
    # --- the loop ---
    "loop.untried": "The loop needs a web process that can be reached and a component that is "
    "connected: see above.",
    "loop.refused": "The push to the test device was not accepted: see the web process's log.",
    "loop.lost": "The message was accepted but did not come back in time. Read the component's "
    "log; in the admin, the message's fate.",
    "loop.slow": "It works, but slowly: is the machine busy, or the doorbell missing?",
}
