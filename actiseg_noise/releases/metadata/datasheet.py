"""The datasheet of a release (Gebru et al., Datasheets for Datasets): ``datasheet.md``."""

from __future__ import annotations

from actiseg_noise.releases.contents.data_kind import DataKind
from actiseg_noise.releases.contents.escaping import escape_markdown
from actiseg_noise.releases.contents.release_contents import ReleaseContents
from actiseg_noise.releases.metadata.card_blocks import format_list, format_statement
from actiseg_noise.releases.metadata.licence_files import describe_licences
from actiseg_noise.releases.metadata.noise_statements import describe_noises, join_words
from actiseg_noise.releases.metadata.release_facts import list_evaluation_splits
from actiseg_noise.releases.metadata.release_statements import (
    describe_maintenance,
    describe_release,
    describe_repeats,
    describe_responsibility,
    describe_selection,
    describe_size,
    list_handled,
    list_missing,
)
from actiseg_noise.releases.metadata.source_statements import (
    NOT_STATED,
    describe_annotators,
    describe_clean_source,
    describe_consent,
    describe_persons,
    describe_software,
    name_source,
)
from actiseg_noise.releases.metadata.use_statements import (
    describe_key,
    list_biases,
    list_limits,
    list_misuses,
    list_protocol,
    list_uses,
)

DATASHEET_FILE = "datasheet.md"

Answer = tuple[str, "str | list[str]"]
"""A question, and its answer as a paragraph or a list."""


_NO_COLLECTION = "No data on persons were collected for this release."


def compose_datasheet(contents: ReleaseContents) -> str:
    """Compose the datasheet. What only its maintainers know is answered with `NOT_STATED`."""
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
            blocks += [f"**{question}**", _format_answer(contents, answer)]
    return "\n\n".join(blocks) + "\n"


def _format_answer(contents: ReleaseContents, answer: str | list[str]) -> str:
    if isinstance(answer, str):
        return format_statement(contents, answer)
    return format_list(contents, answer)


def _answer_motivation(contents: ReleaseContents) -> list[Answer]:
    names = ", ".join(author.name for author in contents.description.authors)
    source = name_source(contents)
    separate = " The authors named are those of this release, and not of the source."
    return [
        ("For what purpose was the dataset created?", describe_release(contents)),
        (
            "Who created it?",
            f"{names} made this release. It is derived from {source}."
            f"{'' if contents.source.synthetic else separate} {describe_responsibility(contents)}",
        ),
        ("Who funded it?", NOT_STATED),
    ]


def _answer_composition(contents: ReleaseContents) -> list[Answer]:
    return [
        (
            "What do the instances represent?",
            _describe_instances(contents.kind),
        ),
        ("How many instances are there?", describe_size(contents) + describe_repeats(contents)),
        (
            "Does it contain all possible instances or a sample?",
            describe_selection(contents),
        ),
        (
            "Is there a label or target?",
            f"Yes: {_name_labels(contents.kind)}. Some of them are wrong. {describe_key(contents)}",
        ),
        (
            "Is any information missing?",
            list_missing(contents) or ["Nothing is known to be missing."],
        ),
        (
            "Are there recommended splits?",
            "The splits of the source. "
            + (
                "For evaluation splits see the evaluation protocol under Uses."
                if list_evaluation_splits(contents)
                else "Noisy splits are for training; scores need clean labels of other data."
            ),
        ),
        (
            "Are there errors, sources of noise, or redundancies?",
            list_limits(contents) + list_biases(contents),
        ),
        (
            "Is it self-contained?",
            {
                "none": "No: it needs the clean dataset, from which the kits rebuild it.",
                "masks": f"The labels are; {contents.kind.photographs} must be obtained from the "
                "source.",
                "frames": "Yes.",
            }[contents.data],
        ),
        ("Does it contain data about persons?", describe_persons(contents)),
        (
            "Does it contain data that might be offensive or confidential?",
            _describe_text(contents.kind),
        ),
    ]


def _describe_instances(kind: DataKind) -> str:
    """Describe an instance: an object in a frame, with all that the dataset says about it."""
    places = f"{kind.frame}s" + " of annotated actions" * kind.has_actions
    name = "a category" if kind.has_categories else "a name"
    prompt = "a prompt" if kind.has_actions else "referring expressions"
    parts = ["a mask", *[name] * kind.has_names, *[prompt] * kind.has_prompts]
    return f"Objects in {places}: {join_words(parts, 'and')} for each."


def _name_labels(kind: DataKind) -> str:
    """Name the labels of an object."""
    names = ["categories"] if kind.has_categories else ["names", "classes"] * kind.has_names
    return join_words(["masks", *names, *[kind.prompts] * kind.has_prompts], "and")


def _describe_text(kind: DataKind) -> str:
    """Describe what text and masks may reveal."""
    named = "objects and actions" if kind.has_actions else "objects"
    text = f"Its text names {named}, and masks" if kind.words else "Its masks"
    return f"{text} show outlines. They were not reviewed for this release."


def _answer_collection(contents: ReleaseContents) -> list[Answer]:
    source = "" if contents.source.synthetic else " For the source, see its documentation."
    return [
        (
            "How was the data acquired?",
            f"From {name_source(contents)}; nothing was recorded for this release.{source}",
        ),
        ("Who was involved, and how were they compensated?", describe_annotators(contents)),
        ("Over what timeframe was the data collected?", _NO_COLLECTION + source),
        ("Were ethical review processes conducted?", _NO_COLLECTION + source),
        ("Did the individuals consent?", describe_consent(contents)),
    ]


def _answer_preprocessing(contents: ReleaseContents) -> list[Answer]:
    changes = [
        f"{entry.name}: {sentence}."
        for entry in contents.configurations
        for sentence in describe_noises(entry)
    ]
    handled = [f"Special cases of {line}." for line in list_handled(contents)]
    return [
        ("Was any preprocessing, cleaning or labelling done?", changes + handled),
        (
            "Was the raw data saved?",
            "The clean dataset is not part of the release. "
            + " ".join(describe_clean_source(contents))
            + " The kits in rebuild/ make the noisy labels from it again, and say whether they are "
            "identical.",
        ),
        (
            "Is the software available?",
            f"{describe_software(contents)} Each kit names the version and the versions of its "
            "libraries.",
        ),
    ]


def _answer_uses(contents: ReleaseContents) -> list[Answer]:
    return [
        ("Has the dataset been used already?", NOT_STATED),
        ("What could it be used for?", list_uses(contents)),
        ("How are methods evaluated with it?", list_protocol(contents)),
        ("What should it not be used for?", list_misuses(contents)),
    ]


def _answer_distribution(contents: ReleaseContents) -> list[Answer]:
    says = contents.description
    places = [says.url or "", f"DOI: https://doi.org/{says.doi}" if says.doi else ""]
    where = ", ".join(filter(None, places))
    forms = (
        "As rebuild kits."
        if contents.data == "none"
        else f"As Parquet, as tar archives in the layout of {contents.kind.layout.name}, and as "
        "rebuild kits."
    )
    terms = [f"{part}: {identifier}" for part, identifier in describe_licences(contents)]
    return [
        (
            "How is it distributed?",
            f"{forms} {f'Address: {where}.' if where else 'No address is stated.'}",
        ),
        ("When is it distributed?", NOT_STATED if says.date is None else f"{says.date}."),
        ("Under which licences?", terms),
        (
            "Do third parties impose restrictions?",
            "Those of the licences above; NOTICE contains the required attribution.",
        ),
        ("Do export controls or other regulations apply?", NOT_STATED),
    ]


def _answer_maintenance(contents: ReleaseContents) -> list[Answer]:
    return [
        (
            "Who maintains it, and how are errors corrected?",
            describe_maintenance(contents),
        ),
        (
            "Will older versions be supported?",
            "With the same clean data and the library versions in the kit, a recipe makes the same "
            "labels. Whether old versions stay hosted is not stated.",
        ),
        (
            "Can others extend it?",
            "Yes: the kits have all settings. A modified recipe has a different digest, so the two "
            "cannot be confused.",
        ),
    ]
