"""Runs of frames that get the same change."""

from __future__ import annotations

from functools import lru_cache

from actiseg_data.core.keys import draw_integer, make_key

RUN = "run."
"""The purposes of draws that are common to a run begin with this word."""


@lru_cache(maxsize=64)
def divide_into_runs(
    seed: int,
    algorithm: int,
    identity: tuple[str | int, ...],
    frames: tuple[str, ...],
    shortest: int,
    longest: int,
) -> tuple[int, ...]:
    """Divide the frames of a sequence into runs.

    The length of a run is drawn uniformly from `shortest` to `longest`, by a key of the sequence
    and the first frame of the run. The last run has all frames that are left when these are at
    most `longest`.

    Parameters
    ----------
    seed, algorithm : int
        As for all draws.
    identity : tuple
        The identity of the sequence.
    frames : tuple of str
        The names of its frames, in order.
    shortest, longest : int
        The bounds of the length.

    Returns
    -------
    tuple of int
        For each frame, the position of the first frame of its run.

    Examples
    --------
    >>> divide_into_runs(0, 1, ("clip",), tuple("abcdefgh"), 3, 6)
    (0, 0, 0, 0, 0, 5, 5, 5)
    """
    starts: list[int] = []
    while len(starts) < len(frames):
        start, left = len(starts), len(frames) - len(starts)
        length = left
        if left > longest:
            key = make_key(seed, algorithm, "boundary.runs.length", *identity, frames[start])
            length = shortest + draw_integer(key, longest - shortest + 1)
        starts += [start] * length
    return tuple(starts)
