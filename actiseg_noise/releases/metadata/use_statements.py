"""What the documents of a release say about its use: uses, protocol, limits and biases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from actiseg_data.core.plurals import count_nouns
from actiseg_data.records.recipe_record import ACTIVITY, CLASS, Noise
from actiseg_noise.recipes.spec_finding import has_clip_units
from actiseg_noise.releases.contents.data_kind import DataKind
from actiseg_noise.releases.contents.release_contents import ReleaseContents
from actiseg_noise.releases.metadata.noise_statements import has_only_active, join_words
from actiseg_noise.releases.metadata.release_facts import (
    FAR,
    count_cut,
    count_far,
    count_names,
    count_videos,
    find_repeats,
    list_changed_media,
    list_evaluation_splits,
    list_training_splits,
)
from actiseg_noise.releases.metadata.source_statements import has_kitchens, is_visor

_FEW = 30
"""Quantiles of fewer items than this need a caveat."""


def list_uses(contents: ReleaseContents) -> list[str]:
    """List what a release is meant for."""
    known = "kind and rate" if contents.own else "rate"
    uses = [
        "Testing methods that find or repair wrong labels, and inspecting the noise. "
        f"{describe_key(contents)}"
    ]
    if list_training_splits(contents):
        uses += [
            "Comparing training methods that are meant to be robust to wrong labels, at a known "
            f"{known} of noise and on the same data.",
            "Training models on these labels and scoring them on clean labels of other "
            f"{contents.kind.sequences}.",
        ]
    return uses


def describe_key(contents: ReleaseContents) -> str:
    """Say how to find the wrong labels."""
    lines = []
    if any(map(count_cut, contents.configurations)):
        cut = ", ".join(
            f"{count_cut(entry)} in {entry.name}"
            for entry in contents.configurations
            if count_cut(entry)
        )
        lines.append(
            "The ledger lists every change that was drawn. Masks that only lost pixels to a "
            f"changed neighbour are not in it ({cut})"
            + (": their rows have an iou and no kind." if contents.data != "none" else ".")
        )
    else:
        lines.append("The ledger lists every change.")
    if contents.data != "none":
        media = list_changed_media(contents.configurations)
        keys = ["iou below 1 for wrong masks"] * ("masks" in media)
        keys += [f"kind_text for wrong {contents.kind.prompts}"] * ("text" in media)
        keys += ["positive unlike positive_clean for wrong labels"] * ("labels" in media)
        keys += ["class_id unlike class_id_clean for wrong categories"] * ("categories" in media)
        lines.append(f"Use {join_words(keys, 'and')}.")
    return " ".join(lines)


def list_misuses(contents: ReleaseContents) -> list[str]:
    """List what a release is not fit for."""
    misuses = []
    splits = list_evaluation_splits(contents)
    if splits:
        misuses.append(
            f"Training on {join_words(splits, 'or')} and scoring on the same "
            f"{contents.kind.sequences}. The "
            "names are those of evaluation splits."
        )
    misuses.append("Evaluating models on these labels: some of them are wrong.")
    if contents.own:
        misuses.append("Claims about the errors of human annotators, which were not measured.")
    kitchens = " or kitchens" * has_kitchens(contents)
    misuses += [
        f"Training models for deployment, for example in products that observe people{kitchens}.",
        "Identifying persons, or inferring attributes of persons.",
    ]
    if any("-NC-" in terms.identifier for terms in contents.licences):
        misuses.append("Commercial use: the licence does not permit it.")
    return misuses


def list_protocol(contents: ReleaseContents) -> list[str]:
    """List the steps of an evaluation with the release."""
    steps = []
    sequences = contents.kind.sequences
    splits = list_evaluation_splits(contents)
    if splits:
        named = join_words(splits, "and")
        are = "is an evaluation split" if len(splits) == 1 else "are evaluation splits"
        steps.append(
            f"By name, {named} {are} of the source. "
            f"Do not train on such a split and score on the same {sequences}. To study training, "
            "apply the recipe (recipe.json) to a training split of the source."
        )
    return [
        *steps,
        "Train on the noisy training split, and train the same model on its clean labels with the "
        "same settings. The clean result is the reference.",
        f"Select models on clean labels of {sequences} that are in neither the training split nor "
        "the split of the final scores.",
        "Score on clean labels of an evaluation split, with the metrics of the source.",
        "Report every seed of the training, and every seed of the noise if several were drawn.",
    ]


_LABEL_LIMITS = (
    "Labels of active objects are flipped for whole sequences and independently of one another. "
    "People forget and mark objects depending on how visible they are and on the action.",
    "Prompts, masks, the flags handbox and narration, and training weights do not follow a flipped "
    "label, so they can tell the clean one.",
)


_CLASS_LIMIT = (
    "Categories are drawn for each object independently, whatever it looks like. People confuse "
    "categories that look alike."
)


def list_limits(contents: ReleaseContents) -> list[str]:
    """List the known limits of a release."""
    noises = [noise for entry in contents.own for noise in entry.split.recipe.noises]
    limits = []
    if noises:
        limits.append(
            "The noise is synthetic. Its kinds and strengths were chosen in a recipe and not "
            "fitted to the errors of annotators, so a method that is robust here need not be "
            "robust to them."
        )
        limits += _describe_draws(contents)
    limits += [
        f"The differences of {entry.name} were measured and not designed. An object that lost "
        "pixels to a neighbour cannot be distinguished from one that is wrong itself, and a "
        "difference can be a correction of the clean label."
        for entry in contents.imported
    ]
    if any(noise.medium in ("masks", "polygons") for noise in noises):
        limits += _list_mask_limits(contents)
    limits += _list_object_limits(noises, contents.kind)
    texts = [noise for noise in noises if noise.medium == "text"]
    limits += _list_text_limits(texts, contents.kind)
    if any(noise.kind == ACTIVITY for noise in noises):
        limits += list(_LABEL_LIMITS)
    if any(noise.kind == CLASS and noise.change != "matrix" for noise in noises):
        limits.append(_CLASS_LIMIT)
    if contents.source.rendered:
        limits.append("Frames are rendered from masks. Results on them do not carry over to video.")
    limits.append(
        "The division into splits is that of the source, and the clean labels may have errors of "
        "their own, which were not measured."
    )
    return limits


def _describe_draws(contents: ReleaseContents) -> Iterator[str]:
    seeds = sorted({entry.split.recipe.seed for entry in contents.own})
    named = join_words([str(seed) for seed in seeds], "and")
    seeded = "seed" if len(seeds) == 1 else "seeds"
    recipes = {
        (repr(entry.split.recipe.noises), entry.split.recipe.split) for entry in contents.own
    }
    if len(recipes) == len(contents.own):
        yield (
            f"Each recipe was drawn once ({seeded} {named}). Draw other seeds to measure the "
            "variance between draws."
        )


def _list_mask_limits(contents: ReleaseContents) -> Iterator[str]:
    noises = [entry.split.recipe.outline_noise for entry in contents.own]
    kind = contents.kind
    drawn = any(noise is not None and not has_clip_units(noise) for noise in noises)
    if drawn and kind.layout.is_video:
        yield (
            "Mask noise is drawn for each object in each frame independently. Errors of annotators "
            "and of propagation tools persist over frames; these do not, so they flicker."
        )
    cut = sum(map(count_cut, contents.own))
    if not kind.has_layers:
        yield (
            "Overlaps are resolved after noise is drawn, so objects without noise of their own "
            "lose pixels to changed neighbours. The rows 'bystanders' of statistics.csv count "
            f"{'them' if cut else 'them; here there are none'}."
        )
    repeats = find_repeats(contents)
    for entry in contents.own:
        far, aimed = count_far(entry)
        if far and (entry.name, "masks") not in repeats:
            ious = [row.iou for row in entry.documents.outline_rows]
            overlaps = "of overlaps or because " * (not kind.has_layers)
            reason = f"Changed masks can miss their target because {overlaps}it is out of reach."
            yield (
                f"{reason} In {entry.name}, {far} of {aimed} are more than {FAR:g} from it "
                f"on disk (minimum IoU {min(ious):.3f}, maximum {max(ious):.3f}). statistics.csv "
                "has the extremes of each kind and size."
            )
    yield f"Quantiles of groups with fewer than {_FEW} changed items are uncertain."


def _list_object_limits(noises: list[Noise], kind: DataKind) -> Iterator[str]:
    kinds = {noise.kind for noise in noises if noise.medium == "objects"}
    if kinds & {"merge", "swap"}:
        yield (
            "Which objects are merged or swapped is drawn without regard to their distance and "
            "class. People and trackers confuse objects that are near or similar more often."
        )
    if "ghost" in kinds:
        yield (
            "False objects are drawn at positions without regard to the picture."
            + " They take only pixels that no other object has." * (not kind.has_layers)
        )
    if kind.layout.is_video and any(noise.span == "frame" for noise in noises):
        yield "Whole objects change in each frame independently, so these errors flicker."


def _list_text_limits(noises: list[Noise], kind: DataKind) -> Iterator[str]:
    uniform = [noise for noise in noises if noise.parameters.get("flip") == "uniform"]
    if any(isinstance(noise.parameters.get("pool"), Mapping) for noise in uniform):
        yield (
            f"New classes of flipped {kind.prompts} are drawn as often as the split has them, "
            "without regard to similarity."
        )
    elif uniform:
        yield (
            f"New classes of flipped {kind.prompts} are drawn with equal probability, without "
            "regard to similarity. People confuse similar classes more often, so these errors may "
            "be easier to detect."
        )
    flips = [noise for noise in noises if "flip" in noise.parameters]
    if any(not noise.parameters.get("allow_collisions") for noise in flips):
        taken = (
            "that of another object in the sequence, or of a noun in its narration"
            if kind.has_actions
            else "one that the sequence has already"
        )
        yield (
            f"A new class is never {taken}. So noisy {kind.prompts} do not refer to a "
            "wrong object that is visible, as real confusions often do."
        )
    if any(noise.parameters.get("names") == "class" for noise in noises):
        yield (
            "A substitution takes another name of the same class. Classes are coarse: some new "
            "names are synonyms and still correct, others name another thing. Nobody checked them. "
            "Similarity (Wu and Palmer, WordNet 3.0) compares the senses of the classes and is 1 "
            "for these substitutions; it does not say whether the new name is correct."
        )
    if noises:
        phrase = "a prompt" if kind.has_actions else "an expression"
        yield f"Text noise changes the noun of {phrase} and not its grammar, spelling or verb."


def list_biases(contents: ReleaseContents) -> list[str]:
    """List the known biases of a release."""
    kind = contents.kind
    recorded = (
        "who was recorded, in which kitchens"
        if has_kitchens(contents)
        else "what was recorded, where and by whom"
    )
    biases = [
        f"The biases of the source: {recorded}, and which objects were annotated. They were not "
        f"measured for this release. {_describe_composition(contents)}".rstrip()
    ]
    noises = [noise for entry in contents.own for noise in entry.split.recipe.noises]
    masks = [noise for noise in noises if noise.medium in ("masks", "polygons")]
    lines = []
    whole = [noise for noise in noises if noise.medium == "objects"]
    if whole:
        active = any(has_only_active(noise, kind) for noise in whole)
        lines.append(
            f"Noise of whole objects selects {'active ' * active}objects with one probability, "
            "regardless of class and size."
        )
    if masks:
        active = any(has_only_active(noise, kind) for noise in masks)
        lines.append(
            f"Mask noise selects each {'active ' * active}object in {kind.place} with one "
            "probability, regardless of class and "
            f"size{'; inactive objects are never selected' * active}."
        )
    if any(noise.parameters.get("names") == "class" for noise in noises):
        lines.append(
            "Classes with one name only cannot be substituted, so text noise changes them less "
            "often."
        )
    if lines:
        lines.append("Errors of people depend on class, size and context.")
        biases.append(" ".join(lines))
    return biases


def _describe_composition(contents: ReleaseContents) -> str:
    names, total = count_names(contents)
    if not total:
        return ""
    videos, participants = count_videos(contents.configurations)
    codes = f" of {count_nouns(participants, 'participant')}" * is_visor(contents)
    origin = count_nouns(videos, "video" if contents.kind.layout.is_video else "image")
    named = join_words([f"{name} ({count})" for name, count in names], "and")
    most = f", most often {named}" * contents.kind.has_names
    return f"The release has {count_nouns(total, 'object')} from {origin}{codes}{most}."


def describe_social_impact(contents: ReleaseContents) -> str:
    """Describe benefit and harm of a release."""
    videos, participants = count_videos(contents.configurations)
    origin = (
        f" The labels come from {count_nouns(videos, 'video')} of "
        f"{count_nouns(participants, 'participant')}."
        if is_visor(contents)
        else ""
    )
    return (
        "Benefit: the release helps to find methods that tolerate or find wrong labels. Harm: a "
        "model trained on these labels has wrong outputs by design, and results on known noise may "
        f"be taken for robustness to real errors.{origin}"
    )
