"""The guide's commands, as they stand there, and the few words that are other ones in here."""

from __future__ import annotations

from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "install-debian.md"
MANAGE = "runuser -u pushprovider -- .venv/bin/python manage.py"
PASSWORD = "correct horse battery staple"

#: What the guide leaves to the reader, or what asks on a terminal, or asks the world.
OTHERWISE = {
    "git clone https://git.example.org/pushprovider.git /opt/pushprovider": (
        "git config --global safe.directory '*'; git clone -q /src /opt/pushprovider"
    ),
    # A Prosody without users yet, as the guide says below it.
    "prosodyctl check config": (
        """echo 'VirtualHost "example.org"' > /etc/prosody/conf.d/example.org.cfg.lua\n"""
        "prosodyctl check config"
    ),
    f'{MANAGE} createsuperuser --username admin --email ""': (
        f"export DJANGO_SUPERUSER_PASSWORD='{PASSWORD}'\n"
        f'{MANAGE} createsuperuser --noinput --username admin --email ""'
    ),
    # It ends with 3, because the backup's service is not running by day.
    "systemctl status 'pushprovider-*'": (
        "systemctl --no-pager status 'pushprovider-*' || [ $? = 3 ]"
    ),
    # No public authority knows this machine: Caddy is its own.
    "systemctl reload caddy": (
        "sed -i '1i { \\n local_certs \\n}' /etc/caddy/Caddyfile\n"
        "systemctl reload caddy\n"
        "for i in $(seq 20); do caddy trust && break; sleep 0.5; done"
    ),
    # What it finds is read by __main__.py.
    f"{MANAGE} doctor": "",
}


def script() -> str:
    """Return every command of the guide, in order, for one shell."""
    text = GUIDE.read_text(encoding="utf-8")
    lines = [line[4:] for line in text.splitlines() if line.startswith("    ")]
    missing = OTHERWISE.keys() - lines
    assert not missing, f"the guide has it no more: {missing}"
    return "\n".join(OTHERWISE.get(line, line) for line in lines) + "\n"
