"""The sections of a dataset card about its files: how to load, check and rebuild them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS, MASKS, WEIGHTS
from actiseg_data.layouts.dataset_split import DatasetSplit
from actiseg_data.layouts.sequence_record import SEQUENCES_FILE, DatasetForm
from actiseg_data.records.baseline_record import BASELINES_FILE
from actiseg_data.records.difference_record import DIFFERENCES_FILE
from actiseg_data.records.ledger_record import LEDGER_FILE
from actiseg_data.records.split_documents import LEXICON_FILE
from actiseg_noise.releases.contents.escaping import escape_markdown
from actiseg_noise.releases.contents.release_contents import Configuration, ReleaseContents
from actiseg_noise.releases.data_files.archive_names import RESTORE_NAMES, spell_names
from actiseg_noise.releases.data_files.row_fields import list_row_fields
from actiseg_noise.releases.metadata.card_blocks import (
    format_code,
    format_list,
    format_statement,
    format_table,
)
from actiseg_noise.releases.metadata.card_header import list_parquet_files, name_hub_split
from actiseg_noise.releases.metadata.noise_statements import join_words
from actiseg_noise.releases.metadata.release_statistics import COLUMN_MEANINGS
from actiseg_noise.releases.metadata.source_statements import (
    describe_clean_source,
    describe_software,
    is_visor,
    list_toolkits,
    name_source,
)
from actiseg_noise.split.split_archive import NAMES_FILE

_HUB = re.compile(r"https?://huggingface\.co/datasets/([\w.-]+/[\w.-]+)/?")

_LEDGER_KEYS = (
    "sequence, frame (null for text), object_id (null for a narration), object (the clean name), "
    "kind, parameters (what was drawn), and for masks status (met, or how the target was missed), "
    "iou_target, iou_drawn (before overlaps), iou (on disk), area (clean pixels), area_ratio; for "
    "text class_id_org, class_id, name, prompt_org, prompt, synset_org, synset, similarity; for "
    "labels value_org, value"
)

_MOST_NAMED = 5
"""Raw files of one kind that the card names."""


def compose_loading(contents: ReleaseContents) -> Iterator[str]:
    """Compose how to load the rows, and the archives in the layout of the source."""
    first = contents.configurations[0].name
    files = list_parquet_files(contents, first)
    if not files:
        yield "This release has no data: see the next section."
        return
    hub = _HUB.fullmatch(contents.description.url or "")
    split = name_hub_split(str(files[0].split))
    shown = "prompt" if contents.kind.has_prompts else "name"
    path = f'"{hub[1]}"' if hub else "str(Path.cwd())"
    yield "With Hugging Face datasets" + ("" if hub else ", in the folder of the release") + ":"
    imports = ["from datasets import load_dataset"]
    yield format_code(
        "python",
        [
            *([] if hub else ["from pathlib import Path", ""]),
            *imports,
            "",
            f'rows = load_dataset({path}, "{first}", split="{split}")',
            f'print(rows[0]["{shown}"], rows[0]["mask"].size)',
        ],
    )
    yield "With pyarrow alone:"
    yield format_code(
        "python",
        [
            "from pyarrow import parquet",
            "",
            f"table = parquet.read_table({files[0].name!r})",
        ],
    )
    layout, elsewhere = contents.kind.layout.name, _name_elsewhere(contents)
    yield f"In the layout of {layout}, unpacked outside the folder of the release:"
    yield format_code(
        "sh", [f"mkdir -p {elsewhere}", f"tar -xf archives/{first}.tar -C {elsewhere}"]
    )
    place = _find_frames_place(contents.configurations[0])
    if contents.data == "masks" and place is not None:
        yield f"Code that reads frames needs those of the source: add them as `{place}`."
    yield from _explain_names(contents)


def _name_elsewhere(contents: ReleaseContents) -> str:
    """Name where to unpack an archive for other code; `verify` needs it beside the release."""
    return f"../{contents.kind.key}"


def _find_frames_place(entry: Configuration) -> str | None:
    """Find the folder of the photographs in the layout; None if it has no place for them."""
    split = entry.split.noisy
    if isinstance(split, DatasetSplit):
        return split.form.photographs
    return FRAMES


def _explain_names(contents: ReleaseContents) -> Iterator[str]:
    """Say how to restore the names of files that an archive has in another spelling."""
    respelled = {
        entry.name: spell_names(entry.documents.digests, entry.folder).respelled
        for entry in contents.configurations
    }
    counts = {name: len(rows) for name, rows in respelled.items() if rows}
    if not counts:
        return
    named = ", ".join(f"{name} ({count})" for name, count in counts.items())
    yield (
        "Names that Windows does not allow are escaped in the archives: a colon is spelled `%3A`. "
        f"Folders and files with another name: {named}. actiseg finds them under either name. "
        f"Other code needs the original names. `{NAMES_FILE}` lists both; this command restores "
        "the original names in an unpacked archive:"
    )
    yield format_code(
        "bash", [f"cd {_name_elsewhere(contents)}/{next(iter(counts))} && {RESTORE_NAMES}"]
    )


def compose_rebuilding(contents: ReleaseContents) -> Iterator[str]:
    """Compose how to check a release, and how to rebuild it from the clean dataset."""
    name = contents.configurations[0].name
    yield "Check the files first, and write nothing into the folder of the release:"
    lines = ["sha256sum -c SHA256SUMS", "actiseg-noise publish --check ."]
    if contents.data != "none":
        lines += [f"tar -xf archives/{name}.tar -C ..", f"actiseg-noise verify ../{name}"]
    yield format_code("sh", lines)
    yield (
        "The first command proves that the files are complete and unchanged, the second that they "
        "agree with each other"
        + (
            ", and the last that an archive agrees with its own documents."
            if contents.data != "none"
            else "."
        )
    )
    parts = join_words(["masks", *contents.kind.words], "and")
    sequences = contents.kind.sequences
    tools = escape_markdown(" or ".join(list_toolkits(contents)) or "actiseg")
    yield (
        f"With {escape_markdown(name_source(contents))} and {tools} you can reproduce the same "
        f"{parts}. Replace `dataset_clean` by the path of the clean dataset. If it contains only "
        f"some of the {sequences}, only these are rebuilt:"
    )
    out = f"../{name}-rebuilt"
    rebuild = f"actiseg-noise rebuild . --config {name} --source dataset_clean --out {out}"
    yield format_code("sh", [rebuild])
    yield format_list(contents, [*describe_clean_source(contents), describe_software(contents)])
    yield from _compose_inputs(contents)


def _compose_inputs(contents: ReleaseContents) -> Iterator[str]:
    """List the raw files of the clean dataset, and the command that prepares it from them."""
    inputs = [(split, file) for split, files in contents.source.inputs.items() for file in files]
    if not inputs:
        return
    names: dict[tuple[str, str], list[str]] = {}
    for split, file in inputs:
        names.setdefault((split, file.role), []).append(file.name)
    yield "The clean dataset was prepared from these files, whose SHA-256 `rebuild/` has:"
    yield format_table(
        ("split", "input", "files"),
        [(split, role, _shorten_list(files)) for (split, role), files in names.items()],
    )
    yield "The command, with the path of a folder or file for each word in capitals:"
    prepared = dict.fromkeys(file.split for _, file in inputs)
    roles = {
        name: dict.fromkeys(file.role for _, file in inputs if file.split == name)
        for name in prepared
    }
    yield format_code(
        "sh",
        [
            "actiseg-noise prepare visor --split "
            + " ".join([name, *(f"--{role.replace('_', '-')} {role.upper()}" for role in members)])
            + " --out dataset_clean"
            for name, members in roles.items()
        ],
    )
    yield "`rebuild` takes these files as well, with `--visor` instead of `--source`."


def _shorten_list(names: list[str]) -> str:
    """Name a few files, or the first and the last of many and their number.

    >>> _shorten_list(["a.json", "b.json", "c.json", "d.json", "e.json", "f.json"])
    '6 files, from a.json to f.json'
    """
    if len(names) <= _MOST_NAMED:
        return ", ".join(names)
    return f"{len(names)} files, from {names[0]} to {names[-1]}"


def compose_files(contents: ReleaseContents) -> Iterator[str]:
    """Compose the table of files, and the columns of the statistics."""
    yield format_table(("file", "content"), list_file_kinds(contents))
    yield "Columns of `statistics.csv`:"
    yield format_table(("column", "meaning"), COLUMN_MEANINGS.items())


def list_file_kinds(contents: ReleaseContents) -> list[tuple[str, str]]:
    """List the files of a release by kind, with those in its archives."""
    rows = [("rebuild/*.json", "rebuild kits: the recipe, and digests of masks and documents")]
    layout = contents.kind.layout.name
    if contents.data != "none":
        has_weights = any(WEIGHTS in entry.documents.kinds for entry in contents.configurations)
        carried = {
            name
            for entry in contents.configurations
            for name in (LEXICON_FILE, DIFFERENCES_FILE)
            if (entry.folder / name).is_file()
        }
        members = [
            *_list_data_members(contents),
            ("recipe.json", "the recipe: kinds, rates, seed and all settings"),
            (LEDGER_FILE, f"the ledger, one drawn change a line: {_LEDGER_KEYS}"),
            ("summary.json", "realised rates, special cases, versions of the libraries"),
            ("digests.json", f"digests of masks{', weights' * has_weights} and documents"),
            (LEXICON_FILE, "the lexicon of the noise"),
            (DIFFERENCES_FILE, "the differences from the clean dataset"),
            (NAMES_FILE, "names that are escaped in the archive, and the original ones"),
            ("LICENSE, LICENSE-*, NOTICE", "licences and attribution"),
        ]
        respelled = any(
            spell_names(entry.documents.digests, entry.folder).respelled
            for entry in contents.configurations
        )
        optional = {
            LEXICON_FILE: LEXICON_FILE in carried,
            DIFFERENCES_FILE: DIFFERENCES_FILE in carried,
            NAMES_FILE: respelled,
        }
        rows += [
            ("data/*/*.parquet", "the rows, see Fields"),
            ("archives/*.tar", f"each configuration in the layout of {layout}, with these files:"),
        ]
        rows += [(f"in a tar: {name}", text) for name, text in members if optional.get(name, True)]
    if any(file.role == "picture" for file in contents.files):
        rows.append(("pictures/", "the pictures of this page"))
    return [
        *rows,
        ("statistics.csv", "rates and strengths of the noise on disk"),
        *_list_baselines(contents),
        ("datasheet.md", "the datasheet"),
        ("croissant.json", "the Croissant description"),
        ("CITATION.cff, citation.bib, .zenodo.json", "how to cite the release"),
        ("LICENSE, NOTICE, licences/", "licences and attribution"),
        ("release.json", "what the authors stated about the release"),
        ("SHA256SUMS", "checksums of all files"),
    ]


def _list_baselines(contents: ReleaseContents) -> Iterator[tuple[str, str]]:
    if contents.baselines is not None:
        yield BASELINES_FILE, "scores of methods that learned from these labels, and their digests"


_INDEX_MASKS = "index masks: a pixel is the id of an object, 0 is background"
_MASK_OF_EACH = "a mask for each object and frame: a pixel of the object is not 0"


def _list_data_members(contents: ReleaseContents) -> Iterator[tuple[str, str]]:
    """List the lists, documents, masks and frames in an archive, with what they are."""
    split = contents.configurations[0].split.noisy
    if isinstance(split, DatasetSplit):
        yield from _list_dataset_members(contents, split.form)
        return
    kinds = {kind for entry in contents.configurations for kind in entry.documents.kinds}
    yield f"{IMAGE_SETS}/", "action lists, prompts in three styles, and objects"
    if MASKS in kinds:
        yield f"{MASKS}/", _INDEX_MASKS
    if WEIGHTS in kinds:
        yield f"{WEIGHTS}/", "training weights of ActionVOS for each pixel"
    if contents.data == "frames":
        yield f"{FRAMES}/", "frames"


def _list_dataset_members(
    contents: ReleaseContents, form: DatasetForm
) -> Iterator[tuple[str, str]]:
    """List the same of a dataset without action lists."""
    kind = contents.kind
    sequences = kind.sequences
    yield SEQUENCES_FILE, f"the {sequences} of the split, with their objects"
    if form.documents:
        yield (
            _shorten_list(list(form.documents)),
            f"documents of the source, cut to these {sequences}",
        )
    if form.mask_documents:
        yield (
            _shorten_list(list(form.mask_documents)),
            f"all annotations in the form of {kind.layout.name}",
        )
    else:
        top = f"{form.masks}/" if form.masks else "<sequence>/"
        yield top, _MASK_OF_EACH if form.by_object else _INDEX_MASKS
    if contents.data == "frames" and form.photographs:
        yield f"{form.photographs}/", "frames"


def compose_fields(contents: ReleaseContents) -> Iterator[str]:
    """Compose the table of the fields of a row."""
    if contents.data == "none":
        yield "This release has no rows."
        return
    place = contents.kind.place
    yield f"A row is an object in {place}."
    rows = [
        (field.name, field.kind, field.meaning)
        for field in list_row_fields(contents.kind, frames=contents.data == "frames")
    ]
    yield format_table(("field", "type", "meaning"), rows)
    yield from _explain_classes(contents)


def _explain_classes(contents: ReleaseContents) -> Iterator[str]:
    """Say what class ids are."""
    if is_visor(contents):
        owner = "EPIC_100_noun_classes_v2.csv of EPIC-KITCHENS-100"
        unknown = f"{_find_hand_classes(contents)}; a name of unknown class has -1"
        yield format_statement(contents, f"Class ids are those of {owner}{unknown}.")
    elif _has_numbered_categories(contents):
        yield (
            "Class ids are positions of the names of categories in the order of the alphabet, from "
            "1: the source has no ids."
        )
    elif contents.kind.has_categories:
        yield "Class ids are those of the categories in the documents of the source."
    elif contents.kind.has_names:
        yield "Class ids are those of the source; a name of unknown class has -1."


def _has_numbered_categories(contents: ReleaseContents) -> bool:
    """Return whether the source has names of categories without ids."""
    split = contents.configurations[0].split.noisy
    return isinstance(split, DatasetSplit) and split.category_document is not None


def _find_hand_classes(contents: ReleaseContents) -> str:
    """Name the classes of hands, which VISOR added to those of EPIC-KITCHENS-100."""
    hands = {
        label.class_id: label.name
        for entry in contents.configurations
        for sequence in entry.split.source.sequences
        for label in sequence.objects
        if label.name in ("left hand", "right hand")
    }
    named = ", ".join(f"{class_id} is {name}" for class_id, name in sorted(hands.items()))
    return f"; {named}" if named else ""
