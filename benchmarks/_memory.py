"""Resident memory of this process, where there is a /proc.

Not by `resource.getrusage`: its highest value is inherited from the process that started this one.
"""

from pathlib import Path


def resident(what: str) -> float:
    """A line of /proc/self/status in MB: VmRSS now, VmHWM the highest since the last reset."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((float(line.split()[1]) / 1e3 for line in lines if line.startswith(what)), float("nan"))
