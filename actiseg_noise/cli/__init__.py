"""The command line `actiseg-noise`: parse, call, print."""

import sys


def main() -> None:
    """Entry point: exit 0 done, 1 mismatch, 2 refused, 130 interrupted."""
    try:
        sys.exit(_run())
    except KeyboardInterrupt:  # also while the libraries are still being loaded
        sys.exit(130)


def _run() -> int:
    from actiseg_data.errors import Refused, refuse
    from actiseg_noise.cli.app import app
    from actiseg_noise.console import print_problems

    try:
        app()
    except Refused as refused:
        print_problems(refused)
        return 2
    except OSError as error:
        # What no check foresaw: a folder that may not be entered, a disk that is gone.
        problem = error.strerror or str(error)
        print_problems(refuse(problem, error.filename or "the system", "check place and rights"))
        return 2
    return 0
