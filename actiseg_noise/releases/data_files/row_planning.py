"""Find all that the rows of a release need besides pixels: words, kinds of noise, files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.layouts.actionvos import MASKS
from actiseg_data.layouts.image_sets import (
    Expression,
    ObjectEntry,
)
from actiseg_data.layouts.split import Split
from actiseg_data.records.ledger_record import LabelRow, TextRow, name_kinds
from actiseg_data.records.recipe_record import CLASS
from actiseg_noise.releases.contents.release_contents import Configuration
from actiseg_noise.releases.data_files.frame_files import find_frame_files, open_frame_places
from actiseg_noise.releases.data_files.release_rows import RowSource, RowTask, RowWords
from actiseg_noise.split.clean_parts import CleanPart
from actiseg_noise.split.text_items import read_noisy_list


def open_row_sources(configuration: Configuration) -> tuple[RowSource, ...]:
    """Open the noisy list of a configuration, and the clean lists beside it.

    Raises
    ------
    InputError
        If a list cannot be opened, or if the source is needed and is not there.
    """
    sources = []
    for part in configuration.documents.open_parts(configuration.folder):
        noisy = part.split.name == configuration.split.recipe.split
        derived = noisy and configuration.split.recipe.changes_masks
        sources.append(RowSource(part, configuration.split.source if derived else None))
    return tuple(sources)


def plan_rows(configuration: Configuration, source: RowSource, *, frames: bool) -> list[RowTask]:
    """List the sequences of a list with all that their rows need besides pixels.

    Parameters
    ----------
    configuration : Configuration
        The configuration.
    source : RowSource
        One of its lists, see `open_row_sources`.
    frames : bool
        Whether the rows have the frames.

    Raises
    ------
    InputError
        If prompts or objects are damaged, or with every sequence without frames.
    """
    documents = configuration.documents
    part = source.part
    own = part.split.name == configuration.split.recipe.split
    text_kinds = _name_text_kinds(documents.text_rows if own else ())
    kinds: dict[str, dict[tuple[str, int], str]] = {}
    named = name_kinds(documents.mask_rows) if own else {}
    for (folder, frame, object_id), kind in named.items():
        kinds.setdefault(folder, {})[frame, object_id] = kind
    words = _read_words(part.split, text_kinds)
    for row in documents.label_rows if own else ():
        if row.kind == CLASS:
            words[row.sequence] = _change_category(words[row.sequence], row)
    places = open_frame_places(part, configuration.split.expected) if frames else ()
    problems = ProblemCollector()
    tasks = []
    for sequence in part.sequences:
        names = _list_masks(part, sequence)
        with problems.collect():
            tasks.append(
                RowTask(
                    sequence=sequence,
                    words=words[sequence.folder],
                    kinds=kinds.get(sequence.folder, {}),
                    names=names,
                    digests=tuple(documents.digests.get(name) for name in names),
                    frames=tuple(find_frame_files(places, sequence)) if frames and names else (),
                )
            )
    problems.raise_if_any()
    return tasks


def _list_masks(part: CleanPart, sequence: VideoSequence) -> tuple[str, ...]:
    if MASKS not in part.kinds:
        return ()
    return tuple(part.list_names_by_kind(sequence)[part.kinds.index(MASKS)])


def _name_text_kinds(rows: Iterable[TextRow]) -> dict[tuple[str, object], str]:
    """Name the kinds of text noise by sequence folder, and object or referring expression."""
    kinds: dict[tuple[str, object], str] = {}
    for row in rows:
        key = row.sequence, row.parameters.get("expression", row.object_id)
        known = kinds.setdefault(key, row.kind)
        if row.kind not in known.split("+"):
            kinds[key] = f"{known}+{row.kind}"
    return kinds


def _read_words(
    split: Split, text_kinds: Mapping[tuple[str, object], str]
) -> dict[str, tuple[RowWords, ...]]:
    """Read the words of each object from the prompts, the objects file and the list."""
    prompts, entries = split.read_prompts(), split.read_object_entries()
    listed = read_noisy_list(split.list_path) if split.has_action_lists else None
    activity = {} if listed is None else listed.activity
    words = {}
    for sequence in split.sequences:
        named = {entry.object_id: entry for entry in entries.get(sequence.folder, ())}
        # Reversed, so that the first prompt of an object counts.
        prompted = {item.object_id: item for item in reversed(prompts.get(sequence.folder, ()))}
        words[sequence.folder] = tuple(
            _make_words(
                label,
                activity.get((sequence.folder, label.object_id)),
                prompted.get(label.object_id),
                named.get(label.object_id),
                text_kinds.get((sequence.folder, _get_text_key(label, prompted))),
            )
            for label in sequence.objects
        )
    return words


def _change_category(words: tuple[RowWords, ...], row: LabelRow) -> tuple[RowWords, ...]:
    """Give one of the objects of a sequence the category of a ledger row."""
    return tuple(
        replace(entry, name=row.category_name, class_id=row.category_id)
        if entry.object_id == row.object_id
        else entry
        for entry in words
    )


def _get_text_key(label: ObjectLabel, prompts: Mapping[int | None, Expression]) -> object:
    """Return what a ledger row names: an object, or in other datasets its expression."""
    prompt = prompts.get(label.object_id)
    return label.object_id if prompt is None or label.source_id is None else prompt.exp_id


def _make_words(
    label: ObjectLabel,
    activity: tuple[bool, bool] | None,
    prompt: Expression | None,
    entry: ObjectEntry | None,
    kind: str | None,
) -> RowWords:
    """Join what the list, the prompts and the objects file say about an object.

    The objects file has the noisy name; the list keeps the clean one. What the noise did not change
    has no clean copy in the files.
    """
    name, class_id = label.name, label.class_id
    clean_name, clean_class = name, class_id
    if entry is not None:
        name, class_id = entry.category, entry.class_id
        clean_name = name if entry.category_org is None else entry.category_org
        clean_class = class_id if entry.class_id_org is None else entry.class_id_org
    noisy_prompt = None if prompt is None else prompt.exp
    clean_prompt = None if prompt is None else prompt.exp_org
    return RowWords(
        object_id=label.object_id,
        prompt=noisy_prompt,
        prompt_clean=noisy_prompt if clean_prompt is None else clean_prompt,
        name=name,
        name_clean=clean_name,
        class_id=class_id,
        class_id_clean=clean_class,
        positive=label.positive,
        positive_clean=label.positive if activity is None else activity[0],
        kind_text=kind,
    )
