"""What the documents of a release say about it, in plain text: each statement is written once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.records.recipe_record import Noise
from actiseg_noise.recipes.kind_specs import KIND_SPECS
from actiseg_noise.releases.escaping import flatten_text
from actiseg_noise.releases.release_contents import Configuration, ReleaseContents

UNKNOWN = "Not known to the tool that wrote this document; ask the maintainers."

_VISOR = "EPIC-KITCHENS VISOR"

_HANDLED = {
    "sequences_without_active_object": "sequences without an active object",
    "names_with_colon": "names of sequences with a colon, which Windows cannot have in file names",
    "companion_files_missing": "companion lists that the source lacks",
    "absent_from_frame": "objects of the list that a frame does not show, so no noise is possible",
    "vanished_from_disk": "objects without a pixel in a frame after noise and overlaps",
    "target_not_reached": "objects with noise that missed its target IoU",
    "one_name": "objects of a class with only one name, so no other name can replace it",
    "no_flip_target": "objects without another class that they could be flipped to",
    "names_collide": "objects that kept their name because all others are taken in the sequence",
    "narration_empty": "empty narrations",
    "narration_without_noun": "narrations without a noun that the lexicon knows",
    "narration_without_flipped_noun": "narrations that do not name the object that was flipped",
    "prompts_with_another_narration": "prompts that quote another narration than their sequence",
}
"""What the counts of special cases in a summary are of."""


def name_source(contents: ReleaseContents) -> str:
    """Name the clean dataset of a release."""
    if contents.source.synthetic:
        return "the built-in sample of actiseg"
    return _VISOR if is_visor(contents) else "the clean dataset that NOTICE names"


def is_visor(contents: ReleaseContents) -> bool:
    """Return whether the notice of the source says that it was made from EPIC-KITCHENS VISOR."""
    return not contents.source.synthetic and _VISOR in contents.source.notice_text


def list_toolkits(contents: ReleaseContents) -> list[str]:
    """List what made the noisy splits, such as ``actiseg 0.1.0``."""
    named = (entry.documents.summary.get("toolkit") for entry in contents.configurations)
    return sorted({flatten_text(name) for name in named if isinstance(name, str)})


def describe_release(contents: ReleaseContents) -> str:
    """Describe a release in one paragraph."""
    data = {
        "none": "It has rebuild kits and no data: with the source, anyone can make the same files.",
        "masks": "It has masks and words, and no frames.",
        "frames": "It has masks, words and frames.",
    }[contents.data]
    rendered = (
        " The source is synthetic: its scenes and labels were generated, and its frames rendered."
        if contents.source.synthetic
        else (" The frames of the source are rendered, not photographs." * contents.source.rendered)
    )
    errors = " ".join(_describe_errors(contents))
    return (
        "Labels for action-based video object segmentation with known errors. "
        f"{errors} {data}{rendered}"
    )


def _describe_errors(contents: ReleaseContents) -> Iterator[str]:
    """Say where the errors come from: those of this toolkit, then those of other generators."""
    source = name_source(contents)
    if contents.own:
        names = ", ".join(entry.name for entry in contents.own)
        yield (
            f"The {_name_media(contents.own)} {f'of {names} ' * bool(contents.imported)}are "
            f"those of {source}, and a program changed a part of them on purpose, so that learning "
            "from noisy labels can be studied. Every change is recorded and can be made again. The "
            "errors are synthetic: no annotator made them."
        )
    for entry in contents.imported:
        yield (
            f"The {_name_media([entry])} of {entry.name} are those of {entry.origin!r}, another "
            f"noisy copy of {source}. Its differences from the clean labels were measured, are all "
            "recorded, and can be applied again. Who or what made them is not recorded."
        )


def _name_media(configurations: Iterable[Configuration]) -> str:
    media = {noise.medium for entry in configurations for noise in _list_noises(entry)}
    words = {"masks": "masks", "text": "prompts"}
    return " and ".join(words[medium] for medium in words if medium in media)


def describe_noises(configuration: Configuration) -> Iterator[str]:
    """Describe each noise of a configuration in one sentence."""
    for noise in _list_noises(configuration):
        if configuration.origin is not None:
            yield _describe_import(noise, configuration.origin)
            continue
        spec = KIND_SPECS.get(noise.kind)
        summary = "" if spec is None else f" ({spec.summary})"
        share = "exactly that share" if noise.exact else "each selected independently"
        yield (
            f"{noise.kind!r} noise{summary}, algorithm {noise.algorithm}"
            f"{describe_strength(noise)}, on {100 * noise.rate:g} % of the {_name_items(noise)}; "
            f"{share}"
        )


def _describe_import(noise: Noise, origin: str) -> str:
    """Describe one medium of an imported split: its rate was measured, and no recipe made it."""
    return (
        f"{'prompts' if noise.medium == 'text' else 'masks'} of {origin!r}, another noisy copy, "
        f"imported as they are; {100 * noise.rate:.3g} % of the {_name_items(noise)} differ from "
        "the clean dataset, as measured on disk"
    )


def _name_items(noise: Noise) -> str:
    objects = f"{'active' if noise.objects == 'positive' else 'listed'} objects"
    if noise.medium == "masks":
        return f"{objects} in frames"
    return "narrations" if noise.choice == "narration" else f"prompts of {objects}"


def describe_strength(noise: Noise) -> str:
    """Describe how strong a noise is, as the end of a sentence; empty if its kind decides."""
    parameters = noise.parameters
    if parameters.get("radius") is not None:
        return f", radius {parameters['radius']:g} pixels"
    if parameters.get("target_iou") is not None:
        return f", target IoU {parameters['target_iou']:g}"
    if "mix" in parameters:
        return f", {parameters['mix']:.0%} of it flips to another class"
    return ""


def list_limits(contents: ReleaseContents) -> list[str]:
    """List the known limits of a release."""
    noises = [noise for entry in contents.own for noise in _list_noises(entry)]
    limits = []
    if noises:
        limits.append(
            "The noise is synthetic. Its kinds and strengths were chosen in a recipe and not "
            "fitted to the errors of annotators, so a method that is robust here need not be "
            "robust to them."
        )
    limits += [
        f"The differences of {entry.name} were measured and not designed. An object that lost "
        "pixels to a neighbour cannot be distinguished from one that is wrong itself, and a "
        "difference can be a correction of the clean label."
        for entry in contents.imported
    ]
    if any(noise.medium == "masks" for noise in noises):
        limits += [
            "Mask noise is drawn for each object in each frame independently. Errors of annotators "
            "and of propagation tools persist over frames; these flicker.",
            "Overlaps are resolved after noise is drawn, so objects without noise of their own "
            "lose pixels to noisy neighbours. The row 'bystanders' of statistics.csv counts them.",
        ]
    flips = [noise for noise in noises if noise.medium == "text"]
    if any(noise.parameters.get("flip") == "uniform" for noise in flips):
        limits.append(
            "New classes of flipped prompts are drawn uniformly from all classes. People confuse "
            "similar classes more often, so these errors are easier to notice."
        )
    if flips:
        limits.append(
            "Text noise changes the noun of a prompt and not its grammar, spelling or verb."
        )
    if contents.source.rendered:
        limits.append("Frames are rendered from masks. Results on them do not carry over to video.")
    limits.append(
        "The division into splits is that of the source, and the clean labels may have errors of "
        "their own, which were not measured."
    )
    return limits


def list_handled(contents: ReleaseContents) -> list[str]:
    """List the special cases that were handled, with their number in each configuration."""
    lines = []
    for entry in contents.configurations:
        handled = entry.documents.read_section("handled")
        cases = [
            f"{_HANDLED.get(name, name.replace('_', ' '))}: {count}"
            for name, count in handled.items()
            if isinstance(count, int) and count > 0
        ]
        lines.append(f"{entry.name}: {'; '.join(map(flatten_text, cases)) or 'none'}")
    return lines


def list_uses(contents: ReleaseContents) -> list[str]:
    """List what a release is meant for."""
    known = "kind and rate" if contents.own else "rate"
    return [
        "Comparing training methods that are meant to be robust to wrong labels, at a known "
        f"{known} of noise and at equal data.",
        "Testing methods that find wrong labels: the ledger says which labels are wrong.",
        "Training on these labels, and scoring on the clean labels of the source.",
    ]


def list_misuses(contents: ReleaseContents) -> list[str]:
    """List what a release is not fit for."""
    misuses = [
        "Evaluation: a part of the labels is wrong.",
        *(
            ["Claims about the errors of human annotators, which were not measured."]
            if contents.own
            else []
        ),
        "Training a model for use on people or in kitchens outside research on noisy labels.",
        "Identifying persons, or inferring attributes of persons.",
    ]
    if any("-NC-" in terms.identifier for terms in contents.licences):
        misuses.append("Commercial use: the licence does not permit it.")
    return misuses


def describe_annotators(contents: ReleaseContents) -> list[str]:
    """Say who made the labels."""
    tools = " and ".join(list_toolkits(contents)) or "a program"
    clean = (
        "a program, as part of the built-in sample"
        if contents.source.synthetic
        else "the authors and annotators of the source, which NOTICE names"
    )
    made = f"Changes: {tools}, a deterministic program. No annotator saw or made a change."
    return [
        f"Clean labels: {clean}. How these were made, paid and checked is documented there.",
        *([made] if contents.own else []),
        *(
            f"Differences of {entry.name}: the makers of {entry.origin!r}. {UNKNOWN}"
            for entry in contents.imported
        ),
        f"Publication: {', '.join(author.name for author in contents.description.authors)}.",
    ]


def describe_persons(contents: ReleaseContents) -> str:
    """Say what is known about personal data in a release."""
    if contents.source.synthetic:
        return "None: the scenes are generated and show no person."
    frames = "It has frames of the source." if contents.data == "frames" else "It has no frames."
    if is_visor(contents):
        return (
            "The source annotates first-person video of people in kitchens. This release has "
            "masks of objects and of hands, names of objects and short texts about actions; names "
            "of sequences have the codes of participants and videos that the source gave. "
            f"{frames} How participants consented is documented by the source."
        )
    return f"{frames} Whether the source has personal data is not known to the tool: see NOTICE."


def describe_maintenance(contents: ReleaseContents) -> str:
    """Say who maintains a release, and how errors become new versions."""
    stated = contents.description.maintenance
    who = flatten_text(stated).rstrip(".") + "." if stated else UNKNOWN
    return (
        f"{who} Versions are not changed after publication: a correction is a new version. "
        "README.md lists the changes since earlier versions."
    )


def list_changes(contents: ReleaseContents) -> list[tuple[str, tuple[str, ...]]]:
    """List the changes since each earlier version, the newest first, without control characters."""
    return [
        (flatten_text(version), tuple(map(flatten_text, lines)))
        for version, lines in contents.changes.items()
    ]


def compose_notice(contents: ReleaseContents) -> str:
    """Compose the NOTICE of a release: attribution of the source, and what was changed."""
    head = (
        "Changed in this release:"
        if contents.imported
        else "Changed in this release, by a program:"
    )
    lines = [contents.source.notice_text.rstrip(), "", head, ""]
    for entry in contents.configurations:
        for sentence in describe_noises(entry):
            lines.append(f"* {entry.name} (list {entry.split.recipe.split}): {sentence}.")
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


def count_contents(configuration: Configuration) -> dict[str, int]:
    """Count the sequences, frames and objects of a configuration's noisy list."""
    sequences = configuration.split.noisy.sequences
    counts: Counter[str] = Counter(sequences=len(sequences))
    for sequence in sequences:
        counts.update(frames=len(sequence.frames), objects=len(sequence.objects))
    return {name: counts[name] for name in ("sequences", "frames", "objects")}


def _list_noises(configuration: Configuration) -> tuple[Noise, ...]:
    return configuration.split.recipe.noises
