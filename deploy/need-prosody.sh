#!/bin/sh
# Makes sure that the program `prosody` is there; the demo starts a private one of its own.
set -eu
export DEBIAN_FRONTEND=noninteractive
if command -v prosody >/dev/null 2>&1; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "The demo needs Prosody. Run: sudo apt-get install -y prosody" >&2
    exit 1
fi

# Debian's package starts a system service when it is installed, and the demo wants none:
# policy-rc.d (exit 101) forbids the start. A machine that has a policy of its own keeps it.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
fi
echo "Installing Debian's prosody; its system service is neither started nor enabled ..."
apt-get install -y prosody </dev/null || {
    apt-get update </dev/null
    apt-get install -y prosody </dev/null
}
if command -v systemctl >/dev/null 2>&1; then
    systemctl disable prosody >/dev/null 2>&1 || true
fi
