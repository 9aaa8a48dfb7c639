"""Run a command line: in this process, which is fast, or in its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from importlib import import_module
from unittest import mock

import typer.main

_ENVIRONMENT = {"COLUMNS": "100", "OMP_NUM_THREADS": "1"}

_get_command = cache(typer.main.get_command)
"""typer builds all commands of an application for every run; here each is built once."""


def run(*arguments, cwd=None, module="actiseg_noise.cli", **environment):
    """Run a module's command line in this process. An unexpected exception fails the test."""
    words = [module, *map(str, arguments)]
    out, err = _make_stream(), _make_stream()
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, _ENVIRONMENT | environment))
        if "ACTISEG_DATASET" not in environment:
            os.environ.pop("ACTISEG_DATASET", None)
        stack.enter_context(mock.patch.object(sys, "argv", words))
        stack.enter_context(mock.patch.object(typer.main, "get_command", _get_command))
        stack.enter_context(_enter(cwd))
        stack.enter_context(redirect_stdout(out))
        stack.enter_context(redirect_stderr(err))
        try:
            import_module(module).main()
        except SystemExit as end:
            code = end.code
    return subprocess.CompletedProcess(words, code, _read(out), _read(err))


def run_alone(
    *arguments, cwd=None, module="actiseg_noise.cli", code=None, text_encoding=None, **environment
):
    """Run a module's command line, or `code` with the same arguments, in its own process."""
    start = ["-m", module] if code is None else ["-c", code]
    inherited = {name: value for name, value in os.environ.items() if name != "ACTISEG_DATASET"}
    own = _ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, *start, *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding=text_encoding,
        check=False,
        cwd=cwd,
        env=inherited | own | environment,
    )


def _make_stream():
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8")


def _read(stream):
    stream.flush()
    return stream.buffer.getvalue().decode()


@contextmanager
def _enter(folder):
    """Work in a folder."""
    before = os.getcwd()
    os.chdir(folder or before)
    try:
        yield
    finally:
        os.chdir(before)
