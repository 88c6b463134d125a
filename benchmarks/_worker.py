"""A peer's worker: a process in the peer's own environment that answers one JSON line per request."""

import json
import subprocess
from pathlib import Path
from typing import Any

from .peers import PEERS

WORKERS = Path(__file__).parent / "workers"


class Worker:
    """Runs benchmarks/workers/BENCHMARK_PEER.py with the interpreter of the peer.

    The script prints one JSON line when ready (its versions), then one for each line it reads, until its input ends.
    """

    def __init__(self, benchmark: str, peer: str):
        command = [str(PEERS[peer].python), str(WORKERS / f"{benchmark}_{peer}.py")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = self._read()

    def ask(self, **request: Any) -> Any:
        """One request, one answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        """Ends the worker."""
        self._process.communicate()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"The worker ended with exit code {self._process.wait()}.")
        return json.loads(line)


def worker_or_none(benchmark: str, peer: str) -> Worker | None:
    """The worker of a peer, or None where its environment is absent."""
    return Worker(benchmark, peer) if PEERS[peer].present else None
