"""The section of a dataset card about baseline scores: tables, and how to check them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from shlex import quote

from actiseg_data.core.plurals import count_nouns
from actiseg_data.records.baseline_record import (
    BASELINES_FILE,
    BaselineCell,
    BaselineFigure,
    BaselineRow,
    Baselines,
    Interval,
    NoisyLabelsSource,
)
from actiseg_noise.releases.contents.escaping import escape_markdown
from actiseg_noise.releases.metadata.card_blocks import format_code, format_table

BASELINES_TITLE = "Baselines"

_HEADS = ("method", "p-mIoU, gate off", "95 %", "kept", "95 %", "AUROC", "95 %", "seeds")
_ENDS = ("frozen", "clean")
_NOTES = (
    "The clean test videos are scored. p-mIoU is that of active objects without the activity gate; "
    "AUROC tells active objects from inactive ones. frozen is the start without further training, "
    "and clean is training on clean labels. kept is the share of what clean labels teach in "
    "p-mIoU: (value - frozen) / (clean - frozen). Intervals of 95 % are over videos and seeds. "
    "Controls are in parentheses; they are no methods."
)


def compose_baselines(
    baselines: Baselines, names: Mapping[NoisyLabelsSource, str]
) -> Iterator[str]:
    """Compose the tables of all cells, and how to check the digests of predictions.

    Parameters
    ----------
    baselines : Baselines
        The scores. Each cell was trained on the labels of a configuration.
    names : mapping of NoisyLabelsSource to str
        The configurations.
    """
    plan = escape_markdown(baselines.plan)
    yield (
        f"Scores of nets that `actiseg-train bench` trained on these labels, from the plan {plan}: "
        f"{escape_markdown(baselines.about)}"
    )
    yield _NOTES
    for cell in baselines.cells:
        configurations = dict.fromkeys(names[noise] for noise in cell.noises if noise in names)
        yield _describe_cell(cell, ", ".join(configurations))
        yield format_table(_HEADS, map(_list_row, cell.rows))
    yield (
        f"`{BASELINES_FILE}` has these figures by seed, and for each run the digest of its raw "
        "scores on the test videos. To check predictions, compute their digest:"
    )
    yield format_code("sh", [_compose_check(baselines)])
    yield (
        "Equal digests mean equal scores and masks, bit for bit. A net that is trained again on "
        "another processor or with another version of PyTorch has other digests; compare its "
        "figures with the intervals."
    )


def _describe_cell(cell: BaselineCell, names: str) -> str:
    frames = "rendered frames, not photographs" if cell.rendered else "photographs"
    labels = "" if cell.labels is None else f" The noisy labels themselves score {cell.labels:.3f}."
    folds = f", {len(cell.noises)} folds" if len(cell.noises) > 1 else ""
    about = escape_markdown(
        f"{cell.about or cell.cell} (cell {cell.cell} of the plan); {cell.data} (arm {cell.arm}), "
        f"{frames}, {count_nouns(cell.videos, 'test video')}{folds}."
    )
    return f"**{escape_markdown(names)}**: {about}{labels}"


def _list_row(row: BaselineRow) -> list[str]:
    name = f"{row.method} {row.variant}".strip()
    if row.control and row.method not in _ENDS:
        name = f"({name})"
    masks, activity = row.masks, row.activity
    return [
        name,
        *_list_value(masks),
        _format_number(masks.kept, 2),
        _format_interval(masks.kept_interval, 2),
        *_list_value(activity),
        ", ".join(map(str, row.seeds)),
    ]


def _list_value(figure: BaselineFigure) -> list[str]:
    return [_format_number(figure.value, 4), _format_interval(figure.interval, 4)]


def _format_number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _format_interval(interval: Interval | None, digits: int) -> str:
    return "" if interval is None else " to ".join(f"{end:.{digits}f}" for end in interval)


def _compose_check(baselines: Baselines) -> str:
    """Compose a command that prints the digest of the first run of a method."""
    cell = baselines.cells[0]
    row = next((row for row in cell.rows if row.method not in _ENDS), cell.rows[0])
    method = f"{row.method}@{row.variant}" if row.variant else row.method
    fold = "/fold0" if len(cell.noises) > 1 else ""
    path = f"bench/{cell.arm}{fold}/runs/{cell.cell}/{method}/s{row.seeds[0]}/test"
    code = "import sys, actiseg_data; print(actiseg_data.digest_raw_scores(sys.argv[1]))"
    return f'python -c "{code}" {quote(path)}'
