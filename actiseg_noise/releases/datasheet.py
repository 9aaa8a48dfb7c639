"""The datasheet of a release (Gebru et al., Datasheets for Datasets): ``datasheet.md``."""

from __future__ import annotations

from collections.abc import Iterable

from actiseg_noise.releases.escaping import escape_markdown
from actiseg_noise.releases.licence_files import describe_licences
from actiseg_noise.releases.release_contents import ReleaseContents
from actiseg_noise.releases.release_statements import (
    UNKNOWN,
    count_contents,
    describe_annotators,
    describe_maintenance,
    describe_noises,
    describe_persons,
    describe_release,
    list_handled,
    list_limits,
    list_misuses,
    list_uses,
    name_source,
)

DATASHEET_FILE = "datasheet.md"

Answer = tuple[str, "str | list[str]"]
"""A question, and its answer as a paragraph or a list."""


def compose_datasheet(contents: ReleaseContents) -> str:
    """Compose the datasheet. What no file says is answered with `UNKNOWN`."""
    sections = {
        "Motivation": _answer_motivation(contents),
        "Composition": _answer_composition(contents),
        "Collection process": _answer_collection(contents),
        "Preprocessing, cleaning and labelling": _answer_preprocessing(contents),
        "Uses": _answer_uses(contents),
        "Distribution": _answer_distribution(contents),
        "Maintenance": _answer_maintenance(contents),
    }
    blocks = [f"# Datasheet: {escape_markdown(contents.description.title)}"]
    for title, answers in sections.items():
        blocks.append(f"## {title}")
        for question, answer in answers:
            blocks += [f"**{question}**", _format_answer(answer)]
    return "\n\n".join(blocks) + "\n"


def _format_answer(answer: str | Iterable[str]) -> str:
    if isinstance(answer, str):
        return escape_markdown(answer)
    return "\n".join(f"* {escape_markdown(line)}" for line in answer)


def _answer_motivation(contents: ReleaseContents) -> list[Answer]:
    names = ", ".join(author.name for author in contents.description.authors)
    return [
        ("For what purpose was the dataset created?", describe_release(contents)),
        ("Who created it?", f"{names}, from {name_source(contents)}."),
        ("Who funded it?", UNKNOWN),
    ]


def _answer_composition(contents: ReleaseContents) -> list[Answer]:
    counts = [
        f"{entry.name}: "
        + ", ".join(f"{count} {name}" for name, count in count_contents(entry).items())
        + f" of the list {entry.split.recipe.split}; {len(entry.documents.rows)} changes"
        for entry in contents.configurations
    ]
    return [
        (
            "What do the instances represent?",
            "Objects in frames of annotated actions: a mask, a name and a prompt for each.",
        ),
        ("How many instances are there?", counts),
        (
            "Does it contain all possible instances or a sample?",
            "All instances of the lists that the noise was applied to.",
        ),
        (
            "Is there a label or target?",
            "Yes: masks, names, classes and prompts. A part of them is wrong. The ledger lists "
            "every wrong label, and rows have the clean words.",
        ),
        ("Is any information missing?", list_handled(contents)),
        (
            "Are there recommended splits?",
            "Those of the source. Noisy lists are for training; scores need clean labels.",
        ),
        ("Are there errors, sources of noise, or redundancies?", list_limits(contents)),
        (
            "Is it self-contained?",
            {
                "none": "No: it needs the clean dataset, from which the kits rebuild it.",
                "masks": "Labels are. Frames have to be obtained from the source.",
                "frames": "Yes.",
            }[contents.data],
        ),
        ("Does it contain data about persons?", describe_persons(contents)),
        ("Does it contain data that might be offensive or confidential?", UNKNOWN),
    ]


def _answer_collection(contents: ReleaseContents) -> list[Answer]:
    return [
        (
            "How was the data acquired?",
            f"From {name_source(contents)}; nothing was recorded for this release. How the source "
            "was collected is documented by the source.",
        ),
        ("Who was involved, and how were they compensated?", describe_annotators(contents)),
        ("Over what timeframe was the data collected?", UNKNOWN),
        ("Were ethical review processes conducted?", UNKNOWN),
        ("Did the individuals consent?", "See the documentation of the source. " + UNKNOWN),
    ]


def _answer_preprocessing(contents: ReleaseContents) -> list[Answer]:
    changes = [
        f"{entry.name}: {sentence}"
        for entry in contents.configurations
        for sentence in describe_noises(entry)
    ]
    return [
        ("Was any preprocessing, cleaning or labelling done?", changes),
        (
            "Was the raw data saved?",
            "The clean labels stay with the source. The kits in rebuild/ make the noisy labels "
            "from them again, and say whether they are identical.",
        ),
        (
            "Is the software available?",
            "Yes: actiseg. Each kit names the version and the versions of its libraries.",
        ),
    ]


def _answer_uses(contents: ReleaseContents) -> list[Answer]:
    return [
        ("Has the dataset been used already?", UNKNOWN),
        ("What could it be used for?", list_uses(contents)),
        ("What should it not be used for?", list_misuses(contents)),
    ]


def _answer_distribution(contents: ReleaseContents) -> list[Answer]:
    says = contents.description
    where = says.url or UNKNOWN
    return [
        ("How is it distributed?", where if says.doi is None else f"{where} (DOI {says.doi})"),
        ("When is it distributed?", UNKNOWN if says.date is None else f"{says.date}."),
        (
            "Under which licences?",
            [f"{part}: {identifier}" for part, identifier in describe_licences(contents)],
        ),
        (
            "Do third parties impose restrictions?",
            "Those of the licences above; NOTICE has the attribution that they ask for.",
        ),
        ("Do export controls or other regulations apply?", UNKNOWN),
    ]


def _answer_maintenance(contents: ReleaseContents) -> list[Answer]:
    return [
        (
            "Who maintains it, and how are errors corrected?",
            describe_maintenance(contents),
        ),
        (
            "Will older versions be supported?",
            "A published recipe always makes the same labels, so every version can be rebuilt.",
        ),
        (
            "Can others extend it?",
            "Yes: recipe.json in each archive and the kits have all settings. A changed recipe has "
            "another digest.",
        ),
    ]
