"""How much of the machine's memory the embedded PostgreSQL is told of: a laptop's stays small, a server's is used."""

import os
from pathlib import Path

MEGABYTE = 1024 * 1024
SHARED_MB_MIN, SHARED_MB_MAX = 128, 1024
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def total() -> int:
    """Bytes of memory this process may expect: the machine's, or the smaller limit of its container."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(machine, int(CGROUP_LIMIT.read_text()))
    except (OSError, ValueError):  # no such file, or "max"
        return machine


def settings(memory: int) -> dict[str, str]:
    """PostgreSQL's own cache, an eighth of the memory within bounds, and what it may expect the system to keep for it.

    Pages are read at random nearly as fast as in order, on today's disks and from that cache.
    """
    shared = min(max(memory // 8 // MEGABYTE, SHARED_MB_MIN), SHARED_MB_MAX)
    return {
        "shared_buffers": f"{shared}MB",
        "effective_cache_size": f"{max(memory // 2 // MEGABYTE, SHARED_MB_MIN)}MB",
        "random_page_cost": "1.1",
    }
