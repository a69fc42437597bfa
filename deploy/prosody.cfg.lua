-- For Prosody 0.12 or later. Append to /etc/prosody/prosody.cfg.lua (or put it into conf.d/), change
-- the two values, then: prosodyctl check config && prosodyctl reload
--
-- Global, above the first VirtualHost. These are the defaults: the component connects from this machine.
--   component_ports = { 5347 }
--   component_interfaces = { "127.0.0.1", "::1" }
-- Worth having there, too: without it a push may wait up to 40 ms for the kernel to fill a packet.
-- (Prosody has to be restarted for this one.)
--   network_settings = { nagle = false }

Component "up.example.org"
    -- XMPP_COMPONENT_JID is the name above, XMPP_COMPONENT_SECRET is this:
    component_secret = "CHANGE-ME"
    -- A new connection takes the place of one whose machine died without a word.
    component_conflict_resolve = "kick_old"

-- On the VirtualHost of your users:
--   modules_enabled: "smacks" (Prosody's own), so that a phone's session outlives a lost network.
