"""What the embedded PostgreSQL is told of the machine's memory."""

from pathlib import Path

import pytest

from shouxin.lib import memory

GB = 1024**3


@pytest.mark.parametrize(
    ("machine", "shared", "cached"),
    [(GB // 2, "128MB", "256MB"), (4 * GB, "512MB", "2048MB"), (64 * GB, "1024MB", "32768MB")],
)
def test_the_cache_grows_with_the_machine_within_bounds(machine: int, shared: str, cached: str) -> None:
    told = memory.settings(machine)
    assert (told["shared_buffers"], told["effective_cache_size"]) == (shared, cached)


@pytest.mark.parametrize(("limit", "smaller"), [("1073741824\n", True), ("max\n", False), (None, False)])
def test_a_container_counts_as_a_smaller_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str | None, smaller: bool
) -> None:
    machine = memory.total()
    file = tmp_path / "memory.max"
    if limit:
        file.write_text(limit)
    monkeypatch.setattr(memory, "CGROUP_LIMIT", file)
    assert (memory.total() == GB) == smaller or machine == GB
