#!/bin/sh
# Makes or updates a virtual environment. Usage: make-venv.sh PYTHON FOLDER REQUIREMENTS-FILE
set -eu
export DEBIAN_FRONTEND=noninteractive
python=$1 venv=$2 requirements=$3

if ! command -v "$python" >/dev/null 2>&1; then
    echo "Pushprovider needs Python 3.11 or later; there is no '$python'. Name yours: make PYTHON=/path/to/python3" >&2
    exit 1
fi
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Pushprovider needs Python 3.11 or later; '$python' is $version. Name a newer one: make PYTHON=python3.12" >&2
    exit 1
fi

# Debian and Ubuntu ship Python's venv module as a package of its own.
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    package="python$version-venv"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing $package ..."
        apt-get install -y "$package" </dev/null ||
            { apt-get update </dev/null && apt-get install -y "$package" </dev/null; }
    else
        echo "Python's venv module is missing. Run: sudo apt-get install -y $package" >&2
        exit 1
    fi
fi

# An environment whose Python is gone or too old is made again, not repaired.
if ! "$venv/bin/python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    echo "Making the virtual environment $venv with Python $version ..."
    "$python" -m venv --clear "$venv"
fi
echo "Installing what $requirements names into $venv (the first time takes a minute) ..."
exec "$venv/bin/python" -m pip install --disable-pip-version-check --no-input -r "$requirements"
