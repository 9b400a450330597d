"""Processes that a run starts: what they cost, and that all of them end."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """Something without which there is nothing to measure, in words for people."""


class Process:
    """A server on 127.0.0.1, and the children that it starts."""

    def __init__(self, name: str, command: list, port: int, log: Path, environment: dict | None = None):
        self.name = name
        self._log = log
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=os.environ | (environment or {}))
        self._wait_for(port)

    def _wait_for(self, port: int) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        self.stop()
        raise Failed(f"{self.name} does not start: {self._log.read_text(errors='replace').strip()}")

    @property
    def pid(self) -> int:
        """The number of the process itself."""
        return self._process.pid

    def cpu(self) -> float:
        """Seconds of processor time that it took so far, user and system, children included."""
        return sum(_cpu_of(pid) for pid in self._pids())

    def resident(self) -> int:
        """Bytes of memory that it holds, children included."""
        return sum(_resident_of(pid) for pid in self._pids())

    def stop(self) -> None:
        """Ends it. A second SIGTERM asks a gateway that drains to end at once."""
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is not None:
                return
            self._process.send_signal(number)
            try:
                self._process.wait(timeout=1)
            except subprocess.TimeoutExpired:
                pass

    def _pids(self) -> list:
        own = self._process.pid
        return [own] + [pid for pid in _all_pids() if _stat(pid)[1:2] == [str(own)]]


def free_ports(count: int) -> list:
    """Ports of 127.0.0.1 that nothing listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def machine_busy() -> float:
    """Seconds of processor time that the whole machine worked since its start."""
    user, nice, system, _idle, _wait, irq, soft_irq, *_ = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + soft_irq) / TICK


def _all_pids() -> list:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def _stat(pid: int) -> list:
    """The fields of a process from its state on; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _cpu_of(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICK if fields else 0.0


def _resident_of(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))
