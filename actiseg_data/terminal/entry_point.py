"""Start and end of every command line: exit codes, and problems without a traceback.

Imports are few, so that an interrupt while libraries are imported also ends quietly.
"""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from actiseg_data.terminal.termination import Termination, raise_terminations

_ASCII = {"↑": "^", "↓": "v", "±": "+-", "…": "..."}
"""Signs that reports print, and what replaces them if they cannot be encoded."""

_OURS = ("actiseg_data", "actiseg_noise", "actiseg_eval", "reference_trainer")


def run_commands(
    load: Callable[[], Callable[[], Any]],
    renamed: Mapping[str, str] | None = None,
    spellings: Mapping[str, str] | None = None,
) -> None:
    """Run a command line and exit: 0 done, 1 mismatch, 2 input error, 130 interrupted.

    SIGTERM and SIGHUP end it as an interrupt does, with the exit codes 143 and 129: temporary
    folders and worker processes are removed.

    Parameters
    ----------
    load : callable
        Returns the assembled commands. It is called inside, because it imports libraries.
    renamed : mapping of str to str, optional
        Old flags and their new names. The old ones work, with a note.
    spellings : mapping of str to str, optional
        Parameters of the Python API that this command line alone spells in its own way.
    """
    _accept_any_text()
    raise_terminations()
    if renamed:
        sys.argv[1:] = [_replace_flag(argument, renamed) for argument in sys.argv[1:]]
    try:
        sys.exit(_run(load, spellings or {}))
    except KeyboardInterrupt:  # also while the libraries are being imported
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except Termination as ended:
        with suppress(OSError):  # the terminal may be gone
            print(ended, file=sys.stderr)
        sys.exit(ended.code)


def _accept_any_text() -> None:
    """Print what the encoding of a stream lacks as similar ASCII, or as an escape."""
    codecs.register_error("actiseg", _spell_in_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="actiseg")


def _spell_in_ascii(error: UnicodeError) -> tuple[str | bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end]
    escaped = (_ASCII.get(c) or c.encode("ascii", "backslashreplace").decode() for c in text)
    return "".join(escaped), error.end


def _replace_flag(argument: str, renamed: Mapping[str, str]) -> str:
    flag, equals, value = argument.partition("=")
    if flag not in renamed:
        return argument
    print(f"note: {flag} is now {renamed[flag]}; the next release drops {flag}", file=sys.stderr)
    return renamed[flag] + equals + value


def _run(load: Callable[[], Callable[[], Any]], spellings: Mapping[str, str]) -> int:
    from actiseg_data.core.errors import InputError, refuse
    from actiseg_data.terminal.messages import print_problems

    try:
        load()()
    except InputError as refused:
        print_problems(refused, spellings)
        return 2
    except OSError as error:
        # Failures without a check: a folder without permission, a lost disk.
        problem = error.strerror or str(error)
        print_problems(
            refuse(problem, error.filename or "the system", "check the path and its permissions")
        )
        return 2
    except ImportError as error:
        name = _find_library(error)
        if name in _OURS:
            raise
        hint = "install actiseg and its packages again: pip install --force-reinstall actiseg"
        print_problems(refuse(f"the library cannot be loaded ({error})", f"import {name}", hint))
        return 2
    return 0


def _find_library(error: ImportError) -> str:
    """Find the package whose import failed: imported by our last line, or missing."""
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
