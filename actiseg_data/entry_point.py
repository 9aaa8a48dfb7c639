"""How every command line starts and ends: exit codes, refusals told without a traceback.

Light, so that an interrupt while libraries are being loaded ends quietly, too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

_OURS = ("actiseg_data", "actiseg_noise", "actiseg_eval", "reference_trainer")


def run_commands(load: Callable[[], Callable[[], Any]]) -> None:
    """Entry point of a command line: exit 0 done, 1 mismatch, 2 refused, 130 interrupted.

    load: gives the commands, put together; called inside, since libraries are loaded by it.
    """
    try:
        sys.exit(_run(load))
    except KeyboardInterrupt:  # also while the libraries are still being loaded
        sys.exit(130)


def _run(load: Callable[[], Callable[[], Any]]) -> int:
    from actiseg_data.console import print_problems
    from actiseg_data.errors import Refused, refuse

    try:
        load()()
    except Refused as refused:
        print_problems(refused)
        return 2
    except OSError as error:
        # What no check foresaw: a folder that may not be entered, a disk that is gone.
        problem = error.strerror or str(error)
        print_problems(refuse(problem, error.filename or "the system", "check place and rights"))
        return 2
    except ImportError as error:
        name = (error.name or "").partition(".")[0]
        if name in _OURS:
            raise
        cure = "install actiseg and its packages again: pip install --force-reinstall actiseg"
        where = f"import {name}".rstrip()
        print_problems(refuse(f"a library cannot be loaded ({error})", where, cure))
        return 2
    return 0
