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
    from actiseg_data.core.errors import Refused, refuse
    from actiseg_data.terminal.console import print_problems

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
        name = _library_of(error)
        if name in _OURS:
            raise
        cure = "install actiseg and its packages again: pip install --force-reinstall actiseg"
        print_problems(refuse(f"the library cannot be loaded ({error})", f"import {name}", cure))
        return 2
    return 0


def _library_of(error: ImportError) -> str:
    """The package whose import failed: the one that our last line imported, or what is absent."""
    library = ""
    trace = error.__traceback__
    while trace is not None:
        package = str(trace.tb_frame.f_globals.get("__name__")).partition(".")[0]
        if package in _OURS:
            library = ""
        elif not library and package != "importlib":
            library = package
        trace = trace.tb_next
    return library or (error.name or "").partition(".")[0]
