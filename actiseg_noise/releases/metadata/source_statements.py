"""What the documents of a release say about its source: names, makers, persons, software."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata

from actiseg_noise.releases.contents.escaping import flatten_text
from actiseg_noise.releases.contents.release_contents import ReleaseContents

NOT_STATED = "Not stated by the maintainers of this release."
"""The answer to a question that only the maintainers can answer."""

VISOR_ADDRESS = "https://epic-kitchens.github.io/VISOR/"
ACTIONVOS_ADDRESS = "https://github.com/ut-vision/ActionVOS"

HUMAN_LIST = "val_human"
"""The human-labelled list of ActionVOS."""

_VISOR = "EPIC-KITCHENS VISOR"


def name_source(contents: ReleaseContents) -> str:
    """Name the clean dataset of a release."""
    if contents.source.synthetic:
        return "the built-in sample of actiseg"
    return _VISOR if is_visor(contents) else "the clean dataset that NOTICE names"


def is_visor(contents: ReleaseContents) -> bool:
    """Return whether the notice of the source says that it was made from EPIC-KITCHENS VISOR."""
    return not contents.source.synthetic and _VISOR in contents.source.notice_text


def has_kitchens(contents: ReleaseContents) -> bool:
    """Return whether the source is known to show kitchens."""
    return contents.source.synthetic or is_visor(contents)


def list_toolkits(contents: ReleaseContents) -> list[str]:
    """List what made the noisy splits, such as ``actiseg 0.1.0``."""
    named = (entry.documents.summary.get("toolkit") for entry in contents.configurations)
    return sorted({flatten_text(name) for name in named if isinstance(name, str)})


def list_human_lists(contents: ReleaseContents) -> list[str]:
    """List the action lists of ActionVOS with objects that people labelled as active."""
    return [
        split
        for split, files in contents.source.inputs.items()
        if split == HUMAN_LIST or any(file.role == "human_labels" for file in files)
    ]


def describe_origin(contents: ReleaseContents) -> str:
    """Say whose the clean labels are."""
    if contents.source.synthetic:
        return "A program made the clean labels, as part of the built-in sample."
    if not is_visor(contents):
        return "The clean labels are those of the source, which NOTICE names."
    masks = "Masks and object names are those of EPIC-KITCHENS VISOR."
    if not contents.kind.has_actions:
        return masks
    lists = " and ".join(list_human_lists(contents))
    labelled = f". The authors of ActionVOS labelled the active objects of {lists}" * bool(lists)
    return f"{masks} Prompts and the labels of active objects follow ActionVOS{labelled}."


def describe_annotators(contents: ReleaseContents) -> list[str]:
    """Say who made the labels."""
    tools = " and ".join(list_toolkits(contents)) or "a program"
    checked = " The source documents how they were made and checked." * is_visor(contents)
    made = f"Changes: {tools}, a deterministic program. No annotator saw or made a change."
    return [
        f"Clean labels: {describe_origin(contents)}{checked}",
        *([made] if contents.own else []),
        *(
            f"Differences of {entry.name}: the makers of {entry.origin!r}. No file of this release "
            "says how they were made."
            for entry in contents.imported
        ),
    ]


def describe_demographics(contents: ReleaseContents) -> str:
    """Say what is known about the annotators as persons."""
    changes = "The changes have no annotators. " * (not contents.imported)
    if contents.source.synthetic:
        return f"{changes}The clean labels have no annotators."
    return f"{changes}For those of the clean labels see the documentation of the source."


def describe_persons(contents: ReleaseContents) -> str:
    """Say what is known about personal data in a release."""
    if contents.source.synthetic:
        return "None: the scenes are generated and show no person."
    frames = "rendered frames" if contents.source.rendered else "frames"
    if not contents.kind.layout.is_video:
        frames = contents.kind.photographs
    shown = contents.data == "frames"
    held = f"It has {frames} of the source." if shown else f"It has no {contents.kind.frame}s."
    if not is_visor(contents):
        return f"{held} Whether the source has personal data is not known: see NOTICE."
    if contents.data == "none":
        labels = "This release has rebuild kits and documents, and neither masks nor lists."
    else:
        texts = "names of objects"
        if contents.kind.has_actions:
            texts = "names of objects and short texts about actions"
        labels = (
            f"This release has masks of objects and of hands, and {texts}. {held} Codes in names "
            "of sequences, such as P01_107, are pseudonyms: they link rows to public videos of the "
            "source."
        )
    return (
        f"The source annotates first-person video of people in kitchens. {labels} "
        f"{describe_consent(contents)} {describe_removal(contents)}"
    )


def describe_consent(contents: ReleaseContents) -> str:
    """Say what is known about the consent of persons."""
    if contents.source.synthetic:
        return "No persons were recorded."
    where = f" ({VISOR_ADDRESS})" if is_visor(contents) else ""
    return (
        f"No persons were recorded for this release. For how participants consented, see the "
        f"documentation of the source{where}."
    )


def describe_removal(contents: ReleaseContents) -> str:
    """Say whom a person asks to remove data."""
    return f"For removal, ask the owners of the source, and {name_contacts(contents)}."


def name_contacts(contents: ReleaseContents) -> str:
    """Name the authors who gave an ORCID, with its address; without any, ``the authors``."""
    named = [
        f"{author.name} (https://orcid.org/{author.orcid})"
        for author in contents.description.authors
        if author.orcid is not None
    ]
    return " and ".join(named) or "the authors"


def describe_contact(contents: ReleaseContents) -> str:
    """Name whom to write to, as a sentence after others; empty if no author gave an ORCID."""
    known = any(author.orcid for author in contents.description.authors)
    return f" Contact: {name_contacts(contents)}." if known else ""


def list_addresses(contents: ReleaseContents) -> list[str]:
    """List the web addresses that statements of a release may have as links."""
    says = contents.description
    orcids = [f"https://orcid.org/{author.orcid}" for author in says.authors if author.orcid]
    addresses = [says.url, says.doi and f"https://doi.org/{says.doi}", find_code_address(), *orcids]
    addresses += [VISOR_ADDRESS, ACTIONVOS_ADDRESS]
    return [address for address in addresses if address]


def describe_software(contents: ReleaseContents) -> str:
    """Name the software that made a release, its licence and where its code is."""
    tools = " and ".join(list_toolkits(contents)) or "actiseg"
    licence = _read_metadata("License-Expression")
    terms = f", under {', '.join(licence)}" if licence else ""
    address = find_code_address()
    place = f" Its code: {address}." if address else " Its package states no address of the code."
    return f"{tools}{terms}.{place}"


def find_code_address() -> str | None:
    """Find the address of this toolkit's code in the metadata of its package."""
    pairs = (entry.partition(",") for entry in _read_metadata("Project-URL"))
    addresses = {label.strip().lower(): address.strip() for label, _, address in pairs}
    known = ("repository", "source", "source code", "homepage")
    return next((addresses[label] for label in known if label in addresses), None)


def _read_metadata(member: str) -> list[str]:
    try:
        return [str(value) for value in metadata("actiseg").get_all(member) or []]
    except PackageNotFoundError:
        return []


def describe_clean_source(contents: ReleaseContents) -> Iterator[str]:
    """Say what the clean dataset is, and how to recognise it."""
    if contents.source.synthetic:
        yield "The clean dataset is the built-in sample: actiseg-noise sample dataset_clean."
    elif is_visor(contents):
        prepared = f" in the layout of {contents.kind.layout.name}" * contents.kind.has_actions
        yield f"The clean dataset is {_VISOR} ({VISOR_ADDRESS}){prepared}."
    else:
        yield "NOTICE names the clean dataset."
    fingerprints = {
        entry.split.recipe.split: str(entry.documents.summary.get("dataset_fingerprint", ""))
        for entry in contents.configurations
    }
    for split, fingerprint in fingerprints.items():
        yield f"Its split {split} has the fingerprint {fingerprint}."
