#!/usr/bin/env bash
# Make sure that everything a test run needs is there: programs from apt, packages from npm.
# Installs what is missing when it may (root), else prints the one command to run and exits 1.
set -euo pipefail
python=$(realpath -s "${PYTHON:-.venv/bin/python}")
cd "$(dirname "$0")/real/node"

# --- programs: "what proves it is there" -> "the Debian package" ------------------------------
declare -A package_of=(
    [prosody]=prosody
    [ejabberdctl]=ejabberd
    [node]=nodejs
    [npm]=npm
    [nginx]=nginx-light
    [caddy]=caddy
    [systemd-analyze]=systemd
)
missing=()
for program in prosody ejabberdctl node npm nginx caddy systemd-analyze; do
    # ejabberdctl and nginx are in /usr/sbin, which is not in everybody's PATH.
    if PATH="$PATH:/usr/sbin" command -v "$program" > /dev/null; then
        echo "found      $program"
    else
        echo "missing    $program"
        missing+=("${package_of[$program]}")
    fi
done
# PostgreSQL's programs are in a folder of their version.
if compgen -G "/usr/lib/postgresql/*/bin/initdb" > /dev/null; then
    echo "found      postgresql"
else
    echo "missing    postgresql"
    missing+=(postgresql)
fi
# prosody-modules holds mod_unified_push, which the comparison runs against.
if [ -d /usr/lib/prosody/modules/mod_unified_push ]; then
    echo "found      prosody-modules"
else
    echo "missing    prosody-modules"
    missing+=(prosody-modules)
fi

if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
        echo
        echo "Please run:  sudo apt-get install -y ${missing[*]}"
        exit 1
    fi
    # Debian starts servers when it installs them. policy-rc.d says no for the time of this run.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' > "$policy"
        chmod +x "$policy"
        trap 'rm -f "$policy"' EXIT
    fi
    export DEBIAN_FRONTEND=noninteractive
    echo "apt-get    update"
    apt-get update -q
    echo "apt-get    install ${missing[*]}"
    apt-get install -y -q --no-install-recommends "${missing[@]}"
fi

# --- npm packages: exactly those of package-lock.json ------------------------------------------
# The stamp is the lock file they were installed from: nothing to do while it is the same.
stamp=node_modules/.installed-from
if [ -f "$stamp" ] && cmp -s package-lock.json "$stamp"; then
    echo "found      npm packages"
else
    echo "npm ci     tests/real/node"
    npm ci --no-audit --no-fund
    cp package-lock.json "$stamp"
fi

# --- the browser plays: Debian's Chromium, or Playwright's, and axe-core ------------------------
# Ubuntu has Chromium as a snap only, which cannot read the tests' folders.
playwrights_own() {
    [ -x "$("$python" -c 'from playwright.sync_api import sync_playwright as begin
with begin() as playwright: print(playwright.chromium.executable_path)')" ]
}
if [ -x /usr/bin/chromium ] || playwrights_own; then
    echo "found      chromium"
elif grep -q '^ID=ubuntu' /etc/os-release 2> /dev/null; then
    echo "playwright install chromium"
    "$python" -m playwright install $([ "$(id -u)" != 0 ] || echo --with-deps) chromium
elif [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    echo "apt-get    install chromium"
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium
else
    echo
    echo "Please run:  sudo apt-get install -y chromium"
    exit 1
fi
cd ../../browser/node
if [ -f "$stamp" ] && cmp -s package-lock.json "$stamp"; then
    echo "found      npm packages of the browser plays"
else
    echo "npm ci     tests/browser/node"
    npm ci --no-audit --no-fund
    cp package-lock.json "$stamp"
fi
