"""`sample`: make the built-in sample, or a synthetic dataset of another size."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from actiseg_data.core.errors import refuse
from actiseg_data.terminal.command_line import quote_path


def sample(
    out: Annotated[Path, typer.Argument(help="Folder to make.", show_default=False)],
    clips: Annotated[
        Optional[int],
        typer.Option(help="Make another synthetic dataset, with this number of sequences."),
    ] = None,
    videos: Annotated[
        Optional[int],
        typer.Option(help="Its number of videos. Default: one for eight sequences."),
    ] = None,
    seed: Annotated[
        Optional[int],
        typer.Option(help="Seeds and splits share no video. Default: 0."),
    ] = None,
    split: Annotated[
        Optional[str],
        typer.Option(help="train, or val, which comes with val_human. Default: train."),
    ] = None,
) -> None:
    """Make the built-in sample: a small synthetic dataset in the ActionVOS layout.

    Example: actiseg-noise sample test --clips 160 --videos 20 --seed 1 --split val
    """
    from actiseg_data.make.sample import make_sample, make_sized_sample

    if clips is None:
        given = {"videos": videos, "seed": seed, "split": split}
        idle = [f"`{name}`" for name, value in given.items() if value is not None]
        if idle:
            what = "the built-in sample has one size: there is no effect"
            raise refuse(what, ", ".join(idle), "give `clips`, the number of sequences")
        print(make_sample(out))
    else:
        chosen = split or "train"
        count = max(clips // 8, 1) if videos is None else videos
        print(make_sized_sample(out, clips=clips, videos=count, seed=seed or 0, split=chosen))
    named = "" if split is None else f" --split {split}"
    print(f"next: actiseg-noise corrupt {quote_path(out)}{named} --type boundary --rate 0.4")
