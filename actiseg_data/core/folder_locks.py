"""A lock on a folder, so that two processes do not write into it at the same time."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from actiseg_data.core.errors import refuse


@contextmanager
def lock_folder(folder: Path, file: Path, hint: str) -> Iterator[None]:
    """Hold the lock of a folder.

    The operating system releases it when the process ends, even if it is killed, so that the next
    run can continue. Windows and some file systems have no such locks: nothing is locked there.

    Parameters
    ----------
    folder : Path
        The folder, for the message.
    file : Path
        The file in it that is locked. It is made, with its folders, and stays.
    hint : str
        What to do if another run has the lock.

    Raises
    ------
    InputError
        If another run has the lock, or moves the folder away.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        try:
            import fcntl
        except ImportError:  # on Windows a second run fails when it opens the files of the first
            yield
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The previous owner may have moved or removed the file after it was opened here.
            held = file.exists() and os.path.samestat(file.stat(), os.fstat(lock.fileno()))
        except BlockingIOError:
            held = False
        except OSError as error:
            if error.errno not in (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK):
                raise
            held = True  # a file system without locks cannot detect a second run
        if not held:
            raise refuse("another run is using this folder", folder, hint)
        yield
