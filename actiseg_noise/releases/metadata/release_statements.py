"""What the documents of a release say about it, in plain text: each statement is written once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.core.plurals import count_nouns
from actiseg_noise.releases.contents.data_kind import DataKind
from actiseg_noise.releases.contents.escaping import flatten_text
from actiseg_noise.releases.contents.release_contents import Configuration, ReleaseContents
from actiseg_noise.releases.metadata.noise_statements import describe_noises, join_words
from actiseg_noise.releases.metadata.release_facts import (
    count_absent,
    count_contents,
    count_rows,
    count_videos,
    find_clean_masks,
    find_repeats,
    list_changed_media,
)
from actiseg_noise.releases.metadata.source_statements import (
    describe_contact,
    describe_origin,
    is_visor,
    name_source,
)

_PARTS = "That is the notice of the clean dataset. In this release"
_CHANGES = "Changed in this release"
NOTICE_ADDITIONS = (_PARTS, _CHANGES)
"""One of these follows the notice of the source in the NOTICE of a release."""

_MEDIA = {
    "masks": "masks",
    "labels": "labels of active objects",
    "categories": "categories",
}
"""What the documents call the media besides text, see `DataKind.prompts`."""

_HANDLED = {
    "sequences_without_active_object": "sequences without an active object",
    "names_with_colon": (
        "names of sequences with a colon, which Windows does not allow in file names"
    ),
    "sequences_without_object": "sequences without an object",
    "companion_files_missing": "companion lists that the source lacks",
    "absent_from_frame": (
        "times that an object of the sequence is not visible in a frame, so that it has no mask "
        "that noise could change"
    ),
    "vanished_from_disk": "objects without a pixel in a frame after noise{overlaps}",
    "void_masks": "masks with void pixels (255), which are of no object and were kept",
    "target_not_reached": "masks whose target IoU could not be reached{before}",
    "one_name": (
        "{items} whose class has only one name, so that they can be flipped but not substituted"
    ),
    "no_flip_target": "{items} without another class that they could be flipped to",
    "exchange_without_change": "{items} that could trade names only with others of their class",
    "exchange_without_partner": "{items} that had no other object to trade names with",
    "names_collide": "{items} that kept their name because all others are taken in the sequence",
    "narration_empty": "empty narrations",
    "expression_empty": "empty expressions",
    "expression_without_noun": "expressions that do not name their object by a noun of the lexicon",
    "expression_unprintable": "expressions with control characters",
    "narration_without_noun": "narrations without a noun that the lexicon knows",
    "narration_without_flipped_noun": "narrations that do not name the object that was flipped",
    "prompts_with_another_narration": "prompts that quote another narration than their sequence",
    "sequences_left_without_active_label": "sequences that lost their last active label",
    "unknown_category": "objects whose category is not in the list of categories",
    "no_other_category": "objects without another category that they could get",
}
"""What the counts of special cases in a summary are of."""


def describe_release(contents: ReleaseContents) -> str:
    """Describe a release in one paragraph."""
    kind = contents.kind
    frames = "rendered frames" if contents.source.rendered else kind.photographs
    parts = ["masks", *kind.words]
    data = {
        "none": (
            "The release contains rebuild kits and no data: with the source, anyone can reproduce "
            "the files."
        ),
        "masks": f"The release contains {join_words(parts, 'and')}, but no {kind.photographs}.",
        "frames": f"The release contains {join_words([*parts, frames], 'and')}.",
    }[contents.data]
    synthetic = (
        " The source is synthetic: its scenes and labels were generated, and its frames rendered."
        if contents.source.synthetic
        else (" The frames of the source are rendered, not photographs." * contents.source.rendered)
    )
    errors = " ".join(_describe_errors(contents))
    return f"Labels for {kind.task} with known errors. {errors} {data}{synthetic}"


def _describe_errors(contents: ReleaseContents) -> Iterator[str]:
    """Say where the errors come from: those of this toolkit, then those of other generators."""
    source = name_source(contents)
    follows = is_visor(contents) and contents.kind.has_actions
    if contents.own:
        names = ", ".join(entry.name for entry in contents.own)
        yield (
            f"The {_name_media(contents.own)} {f'of {names} ' * bool(contents.imported)}are "
            f"those of {source}{' and ActionVOS' * follows}, and a program changed some of them "
            "on purpose, so that learning from noisy labels can be studied. Every drawn "
            "change is recorded and can be reproduced. The errors are synthetic: no annotator made "
            "them."
        )
    for entry in contents.imported:
        yield (
            f"The {_name_media([entry])} of {entry.name} are those of {entry.origin!r}, another "
            f"noisy copy of {source}. Its differences from the clean labels were measured, are all "
            "recorded, and can be applied again. Who or what made them is not recorded."
        )


def _name_media(configurations: Sequence[Configuration]) -> str:
    media = list_changed_media(configurations)
    words = _name_by_medium(configurations[0].kind)
    return join_words([name for medium, name in words.items() if medium in media], "and")


def _name_by_medium(kind: DataKind) -> dict[str, str]:
    masks, *labels = _MEDIA.items()
    return dict([masks, ("text", kind.prompts), *labels])


def describe_size(contents: ReleaseContents) -> list[str]:
    """Say how many instances each configuration has."""
    lines = []
    for entry in contents.configurations:
        rows = count_rows(contents, entry)
        numbers = reversed(count_contents(entry).items())
        counts = [count_nouns(count, name.removesuffix("s")) for name, count in numbers]
        videos, participants = count_videos([entry])
        counts += [count_nouns(videos, "video")] * entry.kind.has_actions
        counts += [count_nouns(participants, "participant")] * is_visor(contents)
        shown = any(sequence.frames for sequence in entry.split.noisy.sequences)
        frames = f"objects in {entry.kind.frame}s" if shown else "objects"
        total = f"{count_nouns(rows, 'row')} ({frames}): " if rows else ""
        lines.append(f"{entry.name}, split {entry.split.recipe.split}: {total}{', '.join(counts)}.")
    return lines


def describe_selection(contents: ReleaseContents) -> list[str]:
    """Say which part of the clean splits a release has."""
    sequence = contents.kind.sequences.removesuffix("s")
    lines = [
        f"{entry.name}: {len(entry.split.noisy.sequences)} of "
        f"{count_nouns(len(entry.split.source.sequences), sequence)} of the split "
        f"{entry.split.recipe.split} in the clean dataset that was given to the tool."
        for entry in contents.configurations
    ]
    return [*lines, "The tool cannot tell whether these are the whole published splits."]


def describe_repeats(contents: ReleaseContents) -> list[str]:
    """Say which masks or prompts are those of an earlier configuration."""
    return [
        f"The {_name_by_medium(contents.kind)[medium]} of {name} are those of {earlier}, so "
        "tables and pictures do not repeat them."
        for (name, medium), earlier in sorted(find_repeats(contents).items())
    ]


def list_missing(contents: ReleaseContents) -> list[str]:
    """List what the release does not have."""
    lines = []
    kind = contents.kind
    frames = f"{kind.frame}s"
    if contents.data == "none":
        parts = join_words(["masks", *kind.words], "and")
        return [
            f"{parts.capitalize()}: the kits rebuild them from the clean dataset.",
            f"{frames.capitalize()}: the source has them.",
        ]
    if contents.data == "masks":
        lines.append(f"{frames.capitalize()} are not in the release.")
    if any(entry.split.recipe.changes_masks for entry in contents.configurations):
        unchanged = find_clean_masks(contents)
        words = join_words(kind.words, "and")
        verb = "is" if words == "text" else "are"
        kept = f"; clean {words} {verb}" if words else ""
        lines.append(f"Clean masks of changed masks are not in the release{kept}.")
        if unchanged is not None:
            lines[-1] = (
                f"Clean masks are not in the configurations with mask noise. The masks of "
                f"{unchanged.name} are unchanged: they are the clean masks of the same rows of the "
                f"split {unchanged.split.recipe.split}."
                + (f" Clean {words} {verb} in the rows." if words else "")
            )
    absence = "has no mask" if kind.has_layers else "is not visible"
    absent: dict[tuple[str, int], list[str]] = {}
    for entry in contents.configurations:
        key = entry.split.recipe.split, count_absent(contents, entry)
        absent.setdefault(key, []).append(entry.name)
    lines += [
        f"{count_nouns(count, 'pair')} of an object and {kind.place} of the split {split} "
        f"{'has' if count == 1 else 'have'} no row in {join_words(names, 'and')}, because the "
        f"object {absence} in the {kind.frame}."
        for (split, count), names in absent.items()
        if count
    ]
    return lines


def list_handled(contents: ReleaseContents) -> list[str]:
    """List the special cases that were handled, with their number in each configuration."""
    lines = []
    terms = {"before": ", before overlaps", "overlaps": " and overlaps"}
    if contents.kind.has_layers:
        terms = dict.fromkeys(terms, "")
    terms["items"] = "objects" if contents.kind.has_actions else "nouns"
    for entry in contents.configurations:
        handled = entry.documents.read_section("handled")
        cases = [
            f"{_HANDLED.get(name, name.replace('_', ' ')).format(**terms)}: {count}"
            for name, count in handled.items()
            if isinstance(count, int) and count > 0
        ]
        lines.append(f"{entry.name}: {'; '.join(map(flatten_text, cases)) or 'none'}")
    return lines


def describe_responsibility(contents: ReleaseContents) -> str:
    """Say who is responsible for a release."""
    return (
        "The authors named above publish this release and are responsible for it."
        f"{describe_contact(contents)}"
    )


def describe_maintenance(contents: ReleaseContents) -> str:
    """Say who maintains a release, and how errors become new versions."""
    stated = contents.description.maintenance
    who = (
        flatten_text(stated).rstrip(".") + "."
        if stated
        else "No maintenance plan was given for this version."
    )
    return (
        f"{who}{describe_contact(contents)} A correction is a new version. README.md lists the "
        "changes since earlier versions."
    )


def list_changes(contents: ReleaseContents) -> list[tuple[str, tuple[str, ...]]]:
    """List the changes since each earlier version, the newest first, without control characters."""
    return [
        (flatten_text(version), tuple(map(flatten_text, lines)))
        for version, lines in contents.changes.items()
    ]


def compose_notice(contents: ReleaseContents) -> str:
    """Compose the NOTICE of a release: attribution of the source, and what was changed."""
    head = f"{_CHANGES}:" if contents.imported else f"{_CHANGES}, by a program:"
    lines = [contents.source.notice_text.rstrip(), ""]
    lines += [*_describe_parts(contents), head, ""]
    for entry in contents.configurations:
        for sentence in describe_noises(entry):
            lines.append(f"* {entry.name} (split {entry.split.recipe.split}): {sentence}.")
    for entry in contents.configurations:
        lexicon = entry.split.lexicon
        if lexicon is not None:
            lines.append(f"* New names of {entry.name} are those of {flatten_text(lexicon.title)}.")
            lines.append(f"  {flatten_text(lexicon.licence)}")
    if contents.uses_installed_lexicon:
        used = load_lexicon()
        lines += [
            "",
            f"New names and senses are those of the lexicon {used.title!r}, derived from the",
            "noun classes of EPIC-KITCHENS-100 (University of Bristol), CC BY-NC 4.0, and from",
            "WordNet 3.0 (Princeton University). licences/ has the full texts.",
        ]
    return "\n".join(lines) + "\n"


def _describe_parts(contents: ReleaseContents) -> list[str]:
    """Say which parts of what the notice of the source names are in the release."""
    if not is_visor(contents):
        return []
    lines = [f"* {describe_origin(contents)}"]
    if contents.data != "frames":
        lines.append(f"* It has no {contents.kind.frame}s.")
    if "prepare-" in contents.source.notice_text:
        lines.append(
            "* prepare-*.json are files of the clean dataset. They are not in the release."
        )
    splits = join_words(list(contents.source.inputs), "and")
    return [f"{_PARTS} ({splits}):", "", *lines, ""]
