"""CPU time of a service's processes, which other programs on the machine change less than durations."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class CpuTime:
    """CPU seconds used until a moment, by the web server, the worker with what it draws, and PostgreSQL."""

    moment: float
    web_server: float
    worker: float
    postgres: float

    def cores_since(self, earlier: "CpuTime") -> dict[str, float]:
        """The share of a core that each has used since an earlier moment; 1 is a whole core."""
        seconds = self.moment - earlier.moment
        return {
            name: round((getattr(self, name) - getattr(earlier, name)) / seconds, 2)
            for name in ("web_server", "worker", "postgres")
        }


def read_cpu_time(serve_pid: int, postgres_folder: Path) -> CpuTime:
    """Read what `serve`, its worker and the server of a data folder have used so far."""
    postmaster = int((postgres_folder / "postmaster.pid").read_text().split()[0])
    return CpuTime(
        time.monotonic(),
        _own_seconds(serve_pid),
        sum(_tree_seconds(pid) for pid in _children(serve_pid)),
        _tree_seconds(postmaster),
    )


def _tree_seconds(pid: int) -> float:
    """CPU seconds of a process, of its ended children, and of its running descendants."""
    return _seconds(pid, 11, 15) + sum(_tree_seconds(child) for child in _children(pid))


def _own_seconds(pid: int) -> float:
    return _seconds(pid, 11, 13)


def _seconds(pid: int, first: int, after_last: int) -> float:
    """Some fields of /proc/…/stat after the name: utime, stime, and both of children that were waited for."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:  # It ended just now, and its parent counts it.
        return 0.0
    return sum(map(int, fields[first:after_last])) / _TICKS


def _children(pid: int) -> list[int]:
    try:
        children = (_PROC / str(pid) / "task" / str(pid) / "children").read_text()
    except OSError:
        return []
    return [int(child) for child in children.split()]
