"""The folder of a running demo: its own, empty at the start, and gone at the end."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "demo-"
_LOCK = "running"
_MOST_TRIES, _PAUSE_SECONDS = 30, 0.1


@contextmanager
def demo_folder(parent: Path) -> Iterator[Path]:
    """Make a folder for one demo, so that several can run beside each other, and remove it at the end.

    Folders of demos that were killed are removed, too: nobody holds their lock any more.
    """
    parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(parent)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    folder.chmod(0o755)  # As root, PostgreSQL runs as another user, whose own folder lies in this one.
    try:
        with (folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a folder in which PostgreSQL, which is ending, may still write for a moment."""
    for _ in range(_MOST_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(_PAUSE_SECONDS)


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            with (folder / _LOCK).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # It is in use, is just being made, or belongs to somebody else.
            continue
