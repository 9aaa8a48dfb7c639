"""`publish`: turn noisy splits into a release, or check a release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Optional

import typer

from actiseg_data.core.plurals import count_nouns
from actiseg_data.terminal.command_line import quote_path
from actiseg_data.terminal.option_groups import expand_options
from actiseg_noise.cli.shared_options import Quiet, Workers, make_stage_progress

_MOST_LINES = 50
"""How many faults of a release are printed."""


@dataclass(frozen=True)
class DescriptionOptions:
    """Options that say what no file says about a release."""

    title: Annotated[Optional[str], typer.Option(help="Title of the release.")] = None
    author: Annotated[
        Optional[list[str]],
        typer.Option(
            metavar="NAME",
            help="Who publishes it: 'Given Family' or 'Family, Given'; with an ORCID, 'Given "
            "Family (ORCID)' (repeatable).",
        ),
    ] = None
    date: Annotated[
        Optional[str],
        typer.Option(metavar="YYYY-MM-DD", help="Day of publication. Default: today."),
    ] = None
    version: Annotated[str, typer.Option(help="Version of the release.")] = "1.0.0"
    url: Annotated[Optional[str], typer.Option(help="Web address of the release.")] = None
    doi: Annotated[Optional[str], typer.Option(help="DOI of the release.")] = None
    maintenance: Annotated[
        Optional[str],
        typer.Option(help="Who keeps the release up, and how to report errors."),
    ] = None


@dataclass(frozen=True)
class ContentOptions:
    """Options that say what goes into a release."""

    data: Annotated[
        str,
        typer.Option(
            help="Besides the rebuild kits: masks (as Parquet and as archives), frames (masks and "
            "photographs) or none."
        ),
    ] = "masks"
    license: Annotated[
        Optional[str],
        typer.Option(
            metavar="SPDX",
            help="Licence of the photographs, such as CC-BY-NC-4.0, for --data frames.",
        ),
    ] = None
    source: Annotated[
        Optional[Path],
        typer.Option(help="The clean dataset. Default: the one that the noisy splits name."),
    ] = None
    previous: Annotated[
        Optional[Path],
        typer.Option(help="The release of the version before, for the list of changes."),
    ] = None
    baselines: Annotated[
        Optional[Path],
        typer.Option(
            metavar="REPORT",
            help="The report.json of actiseg-train bench: the card shows the scores of methods "
            "that learned from these labels.",
        ),
    ] = None


@expand_options(description=DescriptionOptions, content=ContentOptions)
def publish(
    outs: Annotated[
        list[Path],
        typer.Argument(
            metavar="OUT...", help="Noisy splits of one dataset; with --check, a release."
        ),
    ],
    *,
    to: Annotated[Optional[Path], typer.Option(help="Release folder to make.")] = None,
    description: DescriptionOptions,
    content: ContentOptions,
    check: Annotated[
        bool,
        typer.Option("--check", help="Check a release instead: files, card, Croissant, archives."),
    ] = False,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Make a release of noisy splits, or check one.

    A release has rebuild kits, Parquet files, archives, a dataset card, a Croissant description, a
    datasheet, checksums, citations and licences. With --check, exit with 1 if anything is wrong.

    Example: actiseg-noise publish noisy_boundary noisy_text --to release --title "Noisy cups"
    --author "Josiah Carberry (0000-0002-1825-0097)"
    or: actiseg-noise publish --check release
    """
    if check:
        _refuse_options(to, description, content)
        _check(outs, workers, quiet)
        return
    _publish(outs, to, description, content, workers, quiet)


def _publish(
    outs: Sequence[Path],
    to: Path | None,
    description: DescriptionOptions,
    content: ContentOptions,
    workers: int,
    quiet: bool,
) -> None:
    from actiseg_data.core.errors import refuse
    from actiseg_data.terminal.report_printing import print_report
    from actiseg_noise.releases.publication_report import describe_publication
    from actiseg_noise.releases.publishing import publish as run_publishing

    if to is None:
        raise refuse("no release folder given", "`to`", "give the folder to make")
    texts = vars(description) | {"author": description.author or ()}
    result = run_publishing(
        outs, to, **vars(content), workers=workers, stage=make_stage_progress(quiet), **texts
    )
    print_report(describe_publication(result))
    print(f"next: actiseg-noise publish --check {quote_path(result.path)}")


def _check(releases: Sequence[Path], workers: int, quiet: bool) -> None:
    from actiseg_data.core.errors import refuse
    from actiseg_noise.releases.checks.release_check import check_release

    if len(releases) != 1:
        raise refuse(f"checks one release, not {len(releases)}", "`check`", "give one release")
    result = check_release(releases[0], workers, make_stage_progress(quiet))
    for line in result.lines[:_MOST_LINES]:
        print(f"wrong: {line}")
    if len(result.lines) > _MOST_LINES:
        print(f"... and {len(result.lines) - _MOST_LINES} more")
    counts = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in result.counts.items())
    print(f"checked {releases[0]}: {counts}")
    if result.lines:
        print(count_nouns(len(result.lines), "fault"))
        raise typer.Exit(1)
    print("no fault")


def _refuse_options(
    to: Path | None, description: DescriptionOptions, content: ContentOptions
) -> None:
    """Refuse options of the making of a release, which have no effect on a check."""
    from actiseg_data.core.errors import ProblemCollector

    problems = ProblemCollector()
    given: dict[str, tuple[object, object]] = {"to": (to, None)}
    for options in (description, content):
        given |= {
            field.name: (getattr(options, field.name), field.default) for field in fields(options)
        }
    for name, (value, default) in given.items():
        if value != default:
            problems.add("has no effect with `check`", f"`{name}`", "leave it out")
    problems.raise_if_any()
