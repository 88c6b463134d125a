"""Makes the peers' environments under .peers/: `python -m benchmarks.peers [NAME ...]`. Standard library only."""

import argparse
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).resolve().parents[1] / ".peers"


@dataclass(frozen=True)
class Peer:
    """A peer: what pip installs, and the Python versions those pins have wheels for."""

    name: str
    requirements: tuple[str, ...]
    # Newer releases of Brian2 and brainevent leave 3.11 behind.
    pythons: tuple[str, ...] = ("3.11", "3.12")
    # Made only where it is named: no peer, but XLA's compiler for GPUs, of 5.5 GB.
    by_name: bool = False

    @property
    def python(self) -> Path:
        return HOME / self.name / "bin" / "python"

    @property
    def present(self) -> bool:
        return (HOME / self.name / ".made").exists()


PEERS = {
    peer.name: peer
    for peer in (
        Peer("nnmt", ("nnmt==1.3.0", "numpy==2.4.6", "scipy==1.17.1")),
        Peer("brian2", ("brian2==2.9.0", "numpy<2.4", "setuptools", "cython")),
        Peer("nest", ("nest-simulator==3.10.0", "numpy")),
        Peer("jaxley", ("jaxley==0.14.0", "jax[cpu]>=0.10.1,!=0.10.2,<0.11")),
        Peer("neuron", ("neuron==9.0.2", "numpy")),
        Peer("snntorch", ("torch==2.13.0", "snntorch", "numpy")),
        Peer("spyx", ("spyx", "jax[cpu]>=0.10.1,!=0.10.2,!=0.11.0", "dm-haiku", "optax")),
        Peer("digits", ("scikit-learn", "numpy")),
        Peer(
            "gpu",
            (
                "jax[cuda12]==0.10.1",
                "equinox>=0.13.4",
                "optax>=0.2.5",
                "optimistix>=0.0.11",
                "lineax>=0.0.8",
                "jaxtyping>=0.3",
                "wadler-lindig>=0.1.3",
                "numpy>=2.0",
                "numba>=0.61",
            ),
            by_name=True,
        ),
        Peer("brainevent", ("brainevent==0.2.1", "numba", "jax[cpu]>=0.10.1,!=0.10.2,!=0.11.0")),
    )
}


def _interpreter(peer: Peer) -> str:
    """The first interpreter on the path of a version that the peer supports."""
    for version in peer.pythons:
        if sys.version.startswith(f"{version}."):
            return sys.executable
    for version in peer.pythons:
        found = shutil.which(f"python{version}")
        if found:
            return found
    raise RuntimeError(f"{peer.name} needs Python {' or '.join(peer.pythons)} on the path.")


def make(peer: Peer) -> None:
    """Creates and fills the environment of one peer, unless it is there."""
    if peer.present:
        print(f"{peer.name}: there")
        return
    folder = HOME / peer.name
    shutil.rmtree(folder, ignore_errors=True)
    interpreter = _interpreter(peer)
    if interpreter == sys.executable:
        venv.create(folder, with_pip=True)
    else:
        subprocess.run([interpreter, "-m", "venv", str(folder)], check=True)
    pip = [str(peer.python), "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    subprocess.run([*pip, *peer.requirements], check=True)
    (folder / ".made").touch()
    print(f"{peer.name}: made")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description="Makes the peers' environments.")
    parser.add_argument("names", nargs="*", help=f"any of {', '.join(PEERS)}; all but gpu unless given")
    names = parser.parse_args().names or [name for name, peer in PEERS.items() if not peer.by_name]
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        parser.error(f"no such peer: {', '.join(unknown)}; there are {', '.join(PEERS)}")
    failed = []
    for name in names:
        try:
            make(PEERS[name])
        except (RuntimeError, subprocess.CalledProcessError) as error:
            print(f"{name}: failed, {error}", file=sys.stderr)
            failed.append(name)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
