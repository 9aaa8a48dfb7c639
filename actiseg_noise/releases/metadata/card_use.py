"""The sections of a dataset card about its files: how to load, check and rebuild them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from actiseg_data.layouts.actionvos import FRAMES, MASKS, WEIGHTS
from actiseg_data.records.difference_record import DIFFERENCES_FILE
from actiseg_data.records.ledger_record import LEDGER_FILE
from actiseg_data.records.split_documents import LEXICON_FILE
from actiseg_noise.releases.contents.escaping import escape_markdown
from actiseg_noise.releases.contents.release_contents import ReleaseContents
from actiseg_noise.releases.data_files.archive_names import RESTORE_NAMES, spell_names
from actiseg_noise.releases.data_files.row_fields import list_row_fields
from actiseg_noise.releases.metadata.card_blocks import (
    format_code,
    format_list,
    format_statement,
    format_table,
)
from actiseg_noise.releases.metadata.card_header import list_parquet_files, name_hub_split
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

_ELSEWHERE = "../actionvos"
"""Where an archive is unpacked for other code, which needs other names than `verify` expects."""

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
    """Compose how to load the rows, and the archives in the layout of ActionVOS."""
    first = contents.configurations[0].name
    files = list_parquet_files(contents, first)
    if not files:
        yield "This release has no data: see the next section."
        return
    hub = _HUB.fullmatch(contents.description.url or "")
    split = name_hub_split(str(files[0].split))
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
            'print(rows[0]["prompt"], rows[0]["mask"].size)',
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
    yield "In the layout of ActionVOS, unpacked outside the folder of the release:"
    yield format_code(
        "sh", [f"mkdir -p {_ELSEWHERE}", f"tar -xf archives/{first}.tar -C {_ELSEWHERE}"]
    )
    if contents.data == "masks":
        yield f"Code that reads frames needs those of the source: add them as `{FRAMES}`."
    yield from _explain_names(contents)


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
        f"Other code, such as the loader of ActionVOS, needs the original names. `{NAMES_FILE}` "
        "lists both; this command restores the original names in an unpacked archive:"
    )
    yield format_code("bash", [f"cd {_ELSEWHERE}/{next(iter(counts))} && {RESTORE_NAMES}"])


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
    tools = escape_markdown(" or ".join(list_toolkits(contents)) or "actiseg")
    yield (
        f"With {escape_markdown(name_source(contents))} and {tools} you can reproduce the same "
        "masks and text. Replace `dataset_clean` by the path of the clean dataset. If it contains "
        "only some of the sequences, only these are rebuilt:"
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
        ("list", "input", "files"),
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
    rows = [("rebuild/*.json", "rebuild kits: the recipe, and digests of all masks and lists")]
    if contents.data != "none":
        kinds = {kind for entry in contents.configurations for kind in entry.documents.kinds}
        carried = {
            name
            for entry in contents.configurations
            for name in (LEXICON_FILE, DIFFERENCES_FILE)
            if (entry.folder / name).is_file()
        }
        members = [
            ("ImageSets/", "action lists, prompts in three styles, and objects"),
            (f"{MASKS}/", "index masks: a pixel is the id of an object, 0 is background"),
            (f"{WEIGHTS}/", "training weights of ActionVOS for each pixel"),
            (f"{FRAMES}/", "frames"),
            ("recipe.json", "the recipe: kinds, rates, seed and all settings"),
            (LEDGER_FILE, f"the ledger, one drawn change a line: {_LEDGER_KEYS}"),
            ("summary.json", "realised rates, special cases, versions of the libraries"),
            ("digests.json", "digests of all masks, weights and lists"),
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
            f"{MASKS}/": MASKS in kinds,
            f"{WEIGHTS}/": WEIGHTS in kinds,
            f"{FRAMES}/": contents.data == "frames",
            LEXICON_FILE: LEXICON_FILE in carried,
            DIFFERENCES_FILE: DIFFERENCES_FILE in carried,
            NAMES_FILE: respelled,
        }
        rows += [
            ("data/*/*.parquet", "the rows, see Fields"),
            ("archives/*.tar", "each configuration in the layout of ActionVOS, with these files:"),
        ]
        rows += [(f"in a tar: {name}", text) for name, text in members if optional.get(name, True)]
    if any(file.role == "picture" for file in contents.files):
        rows.append(("pictures/", "the pictures of this page"))
    return [
        *rows,
        ("statistics.csv", "rates and strengths of the noise on disk"),
        ("datasheet.md", "the datasheet"),
        ("croissant.json", "the Croissant description"),
        ("CITATION.cff, citation.bib, .zenodo.json", "how to cite the release"),
        ("LICENSE, NOTICE, licences/", "licences and attribution"),
        ("release.json", "what the authors stated about the release"),
        ("SHA256SUMS", "checksums of all files"),
    ]


def compose_fields(contents: ReleaseContents) -> Iterator[str]:
    """Compose the table of the fields of a row."""
    if contents.data == "none":
        yield "This release has no rows."
        return
    yield "A row is an object in a frame."
    rows = [
        (field.name, field.kind, field.meaning)
        for field in list_row_fields(frames=contents.data == "frames")
    ]
    yield format_table(("field", "type", "meaning"), rows)
    hands = _find_hand_classes(contents) if is_visor(contents) else ""
    yield format_statement(
        contents,
        "Class ids are those of EPIC_100_noun_classes_v2.csv of EPIC-KITCHENS-100"
        f"{hands}; a name of unknown class has -1."
        if is_visor(contents)
        else "Class ids are those of the source; a name of unknown class has -1.",
    )


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
