"""Small and read-only file systems in memory; mounting them needs permission."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def mount_small_disk(folder: Path, options: str) -> Iterator[Callable[[str], bool]]:
    """Mount a file system in memory.

    Yields a function that changes the mount options and returns whether this succeeded. Raises
    `PermissionError` if mounting is not allowed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not _mount("-t", "tmpfs", "-o", options, "tmpfs", str(folder)):
        raise PermissionError("mounting is not allowed here")
    try:
        yield lambda options: _mount("-o", f"remount,{options}", str(folder))
    finally:
        _unmount(folder)


@contextmanager
def mount_read_only(folder: Path, where: Path) -> Iterator[Path]:
    """Mount a folder read-only elsewhere; raise `PermissionError` if this is not allowed."""
    where.mkdir(parents=True, exist_ok=True)
    if not _mount("--bind", str(folder), str(where)):
        raise PermissionError("mounting is not allowed here")
    try:
        if not _mount("-o", "remount,ro,bind", str(where)):
            raise PermissionError("mounting is not allowed here")
        yield where
    finally:
        _unmount(where)


def _mount(*arguments: str) -> bool:
    if shutil.which("mount") is None:
        return False
    return subprocess.run(["mount", *arguments], capture_output=True).returncode == 0


def _unmount(folder: Path) -> None:
    for _ in range(50):
        if subprocess.run(["umount", str(folder)], capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
