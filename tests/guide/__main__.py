"""Follow the guide, then do to its services what happens to services."""

from __future__ import annotations

import http.client
import os
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from tests.guide.machine import Machine
from tests.guide.words import MANAGE, script
from tests.real.doctor import Diagnosis
from tests.real.waiting import wait_until

ROOT = Path(__file__).parents[2]
THERE = "cd /opt/pushprovider;"
REGISTER = """
from pushprovider.fields import now_ms
from pushprovider.store.registrations import Request, register
name = "a" * 43 + "="
print(register(Request("juliet@example.org", "phone", name, name, ""), now_ms()).endpoint)
"""
#: What is wrong with a machine that no public authority knows (Caddy's own certificates last for
#: half a day), and whose clock its host keeps.
EXPECTED = {"certificate.bad", "certificate.soon", "clock.unsynchronised"}


class Senders:
    """Application servers that post without a pause, each time over a new connection."""

    def __init__(self, endpoint: str) -> None:
        self.answers: Counter[str] = Counter()
        self.longest = 0.0
        self._path = "/push/" + endpoint.rpartition("/")[2]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Senders:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.2):
            began = time.monotonic()
            try:
                self.answers[str(self._post())] += 1
            except OSError as error:
                self.answers[type(error).__name__] += 1
            self.longest = max(self.longest, time.monotonic() - began)

    def _post(self) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=30)
        headers = {"TTL": "60", "Host": "push.example.org"}
        connection.request("POST", self._path, b"hello", headers)
        status = connection.getresponse().status
        connection.close()
        return status


def main() -> int:
    if os.geteuid() != 0 or not all(map(shutil.which, ("debootstrap", "systemd-nspawn"))):
        sys.exit("make guide needs root, and: apt-get install debootstrap systemd-container")
    with tempfile.TemporaryDirectory(prefix="pushprovider-guide-") as folder:
        machine = Machine(Path(folder), ROOT)
        say("a Debian with nothing on it")
        machine.make()
        machine.boot()
        try:
            follow(machine)
        finally:
            machine.off()
    say("done")
    return 0


def follow(machine: Machine) -> None:
    machine.run("update-ca-certificates")
    say("the guide")
    began = time.monotonic()
    print(machine.run(script()))
    print(f"{time.monotonic() - began:.0f} s")
    healthy(machine)
    endpoint = machine.run(f"{THERE} {MANAGE} shell -v 0 -c '{REGISTER}'").strip().splitlines()[-1]
    say("the web process is restarted, then killed, while senders post")
    with Senders(endpoint) as senders:
        machine.run("sleep 1; systemctl restart pushprovider-web; sleep 1")
        machine.run("systemctl kill -s KILL pushprovider-web; sleep 5")
    print(f"{dict(senders.answers)}, the longest took {senders.longest:.1f} s")
    assert set(senders.answers) == {"201"}, "a sender was refused"
    say("the component is killed")
    print(machine.run(KILL_COMPONENT))
    healthy(machine)
    say("the nightly backup")
    machine.run("systemctl start pushprovider-backup; ls /var/lib/pushprovider/backup-*")
    say("the machine is started again")
    machine.off()
    machine.boot()
    healthy(machine)


#: It must be back within five seconds.
KILL_COMPONENT = """
main() { systemctl show -P MainPID pushprovider-component; }
killed=$(main)
kill -KILL $killed
for i in $(seq 50); do
    sleep 0.1
    now=$(main)
    [ $now != 0 ] && [ $now != $killed ] || continue
    if systemctl status pushprovider-component | grep -q 'Status: "connected'; then
        echo "connected again after $i tenths of a second"
        exit 0
    fi
done
systemctl status pushprovider-component
exit 1
"""


def healthy(machine: Machine) -> None:
    """Ask the doctor until the full loop is well; fail if anything unexpected is wrong."""

    def well() -> Diagnosis | None:
        said = machine.run(f"{THERE} {MANAGE} doctor --json 2>/dev/null || true")
        diagnosis = Diagnosis.read(said)
        return diagnosis if "loop.delivered" in diagnosis.findings else None

    diagnosis = wait_until(well, 60, "the doctor's message has been delivered")
    print("doctor: " + diagnosis.findings["loop.delivered"]["text"])
    assert diagnosis.wrong <= EXPECTED, diagnosis.wrong


def say(text: str) -> None:
    print(f"== {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
