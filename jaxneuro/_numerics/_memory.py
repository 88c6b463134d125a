"""How much memory there is for a wiring."""

from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_LIMITS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes")),
)


def free_memory() -> float:
    """Bytes that are free, of the machine or of the container's share; infinite where nothing says."""
    found = [float("inf")]
    if _MEMINFO.exists():
        lines = dict(line.split(":", 1) for line in _MEMINFO.read_text().splitlines() if ":" in line)
        if "MemAvailable" in lines:
            found.append(float(lines["MemAvailable"].split()[0]) * 1024.0)
    for limit, used in _LIMITS:
        if limit.exists() and used.exists() and limit.read_text().strip().isdigit():
            found.append(float(limit.read_text()) - float(used.read_text()))
    return min(found)
