"""What the documents of a release say about its noise, and how much of it there is on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from actiseg_data.records.recipe_record import CLASS, EXCHANGE, Noise
from actiseg_noise.recipes.spec_finding import has_clip_units
from actiseg_noise.releases.contents.data_kind import DataKind
from actiseg_noise.releases.contents.release_contents import Configuration
from actiseg_noise.releases.metadata.release_facts import count_cut

CHANGES = {
    "dilate": "dilated",
    "erode": "eroded",
    "jitter": "jittered",
    "morphology": "changed by a fixed kernel",
    "scaled-morphology": "changed by a kernel in proportion to the width of the frame",
    "random-contour": "given an outline that spread at random",
    "scale": "scaled by a square kernel",
    "localise": "redrawn with moved vertices",
    "approximate": "redrawn with few vertices",
    "markov": "given an outline from a random walk",
    "relocate": "stretched into a box that was redrawn nearby",
    "runs": "dilated, eroded, mapped or redrawn as a polygon, in the same way in a run of frames",
}
"""What each kind of mask noise does to an object. A mixture lists its kinds."""

OBJECT_CHANGES = {
    "missing": "left out",
    "merge": "drawn under the id of another object",
    "swap": "exchanged, so that each has the id of the other",
}
"""What each kind of whole-object noise does."""

TEXT_NAMES = {"category": "flips", "within-category": "substitutions"}
"""What the documents call the kinds of text noise."""


def describe_noises(configuration: Configuration) -> Iterator[str]:
    """Describe each noise of a configuration, and its result, in words without a final stop."""
    kind = configuration.kind
    for noise in configuration.split.recipe.noises:
        if configuration.origin is not None:
            yield _describe_import(noise, configuration.origin, kind)
        elif noise.medium == "objects":
            words = _describe_object_noise(noise, kind)
            yield words + _describe_object_result(configuration, noise)
        elif noise.medium in ("masks", "polygons"):
            yield _describe_mask_noise(noise, kind) + _describe_mask_result(configuration)
        elif noise.medium == "text":
            texts = _name_texts(noise, kind)
            words = _describe_text_noise(noise, texts, kind)
            yield words + _describe_text_result(configuration, texts)
        else:
            yield _describe_label_noise(noise) + _describe_label_result(configuration, noise)


def _describe_import(noise: Noise, origin: str, kind: DataKind) -> str:
    """Describe one medium of an imported split: its rate was measured, and no recipe made it."""
    return (
        f"{kind.prompts if noise.medium == 'text' else 'masks'} of {origin!r}, another noisy copy, "
        f"imported as they are; {100 * noise.rate:.3g} % of the {_name_items(noise, kind)} differ "
        "from the clean dataset, as measured on disk"
    )


def _name_items(noise: Noise, kind: DataKind) -> str:
    objects = "objects"
    if kind.has_actions:
        objects = f"{'active' if noise.objects == 'positive' else 'listed'} objects"
    if noise.medium in ("masks", "polygons"):
        return f"{objects} in {kind.frame}s"
    if noise.medium == "objects":
        return f"{'pairs of ' * (noise.kind == 'swap')}{objects} in {_name_span(noise, kind)}s"
    return "narrations" if noise.choice == "narration" else f"{kind.prompts} of {objects}"


def _name_span(noise: Noise, kind: DataKind) -> str:
    return str(noise.span) if kind.layout.is_video else kind.frame


def has_only_active(noise: Noise, kind: DataKind) -> bool:
    """Return whether noise leaves the inactive objects of a dataset as they are."""
    return kind.has_actions and noise.objects == "positive"


def _describe_mask_noise(noise: Noise, kind: DataKind) -> str:
    name = "Polygon noise" if noise.medium == "polygons" else "Mask noise"
    names = noise.parameters.get("kinds") or [noise.kind]
    done = join_words([CHANGES.get(name, "changed") for name in names], "or")
    active = "active " * has_only_active(noise, kind)
    if has_clip_units(noise):
        exactly = "exactly " * noise.exact
        chosen = (
            f"{exactly}{100 * noise.rate:g} % of the sequences are selected with all their "
            f"{active}objects"
        )
    elif noise.exact:
        chosen = f"exactly {100 * noise.rate:g} % of the {_name_items(noise, kind)} are selected"
    else:
        chosen = (
            f"each {active}object in each {kind.frame} is selected with probability "
            f"{noise.rate:g}, independently"
        )
    return (
        f"{name} ({noise.kind}, algorithm {noise.algorithm}): {chosen}, and then "
        f"{done}{describe_strength(noise, overlaps=not kind.has_layers)}"
    )


def describe_strength(noise: Noise, *, overlaps: bool = True) -> str:
    """Describe how strong mask noise is, as the end of a sentence; empty if its kind decides."""
    parameters = noise.parameters
    if parameters.get("radius") is not None:
        return f" by {parameters['radius']:g} pixels"
    if parameters.get("target_iou") is not None:
        target = f"{parameters['target_iou']:g}"
        before = " before overlaps" * overlaps
        return f" so that the IoU with the clean mask is {target}{before}"
    return ""


def _describe_object_noise(noise: Noise, kind: DataKind) -> str:
    items = _name_items(noise, kind)
    share = f"{100 * noise.rate:g} % of the {items}"
    chosen = f"exactly {share}" if noise.exact else f"{share}, each selected independently,"
    name = f"Noise of whole objects ({noise.kind}, algorithm {noise.algorithm})"
    if noise.kind == "ghost":
        exactly = "exactly " * noise.exact
        listed = f". In an action list, these are {items} that do not show them" * kind.has_actions
        return (
            f"{name}: of the false objects that could be drawn in {_name_span(noise, kind)}s, "
            f"{exactly}{100 * noise.rate:g} % are drawn{listed}"
        )
    return f"{name}: {chosen} are {OBJECT_CHANGES[noise.kind]}"


def _describe_object_result(configuration: Configuration, noise: Noise) -> str:
    counts = configuration.documents.read_section("objects").get(noise.kind, {})
    share = _format_share(counts.get("selected", 0), counts.get("items"), "selected")
    return f". Changed: {share}, in {counts.get('rows', 0)} masks of objects"


def _describe_mask_result(configuration: Configuration) -> str:
    rows = configuration.documents.outline_rows
    items = configuration.documents.read_section("noise").get("items")
    counts = Counter(row.kind for row in rows)
    kinds = [f"{count} {kind}" for kind, count in sorted(counts.items())]
    cut = count_cut(configuration)
    more = f". {cut} other masks lost pixels to a changed neighbour" if cut else ""
    equal = sum(row.iou == 1 for row in rows)
    same = f". {equal} of these are equal to the clean masks: the noise could not change them"
    share = _format_share(len(rows), items, f"objects in {configuration.kind.frame}s")
    return f". Changed: {share}{_format_parts(kinds)}{same if equal else ''}{more}"


def split_text_rate(noise: Noise) -> dict[str, float]:
    """Return the probability of a flip and of a substitution, by kind.

    >>> from actiseg_noise.recipes.building import make_recipe
    >>> split_text_rate(make_recipe("text", 0.4, mix=0.25).text_noise)
    {'category': 0.1, 'within-category': 0.3}
    """
    if noise.kind == EXCHANGE:
        return {"category": noise.rate}
    if noise.kind in TEXT_NAMES:
        return {noise.kind: noise.rate}
    mix = noise.parameters["mix"]
    rates = {"category": noise.rate * mix, "within-category": noise.rate * (1 - mix)}
    return {kind: round(rate, 6) for kind, rate in rates.items() if rate}


def _name_texts(noise: Noise, kind: DataKind) -> str:
    """Name what text noise changes, one noun in each."""
    if noise.choice == "nouns":
        return "nouns of referring expressions"
    return "narrations" if noise.choice == "narration" else kind.prompts


def _describe_text_noise(noise: Noise, words: str, kind: DataKind) -> str:
    items = _name_items(noise, kind) if words == "prompts" else words
    rates = split_text_rate(noise)
    sisters = noise.parameters.get("flip") == "sister"
    flips = "the name of a WordNet sister of its class" if sisters else "a name of another class"
    if noise.kind == EXCHANGE:
        flips = "the name of another object of its clip, which gets its name in exchange"
    done = {
        "category": f"flipped (category) to {flips}",
        "within-category": "substituted (within-category) by another name of its class, if there "
        "is one",
    }
    if noise.exact:
        parts = [f"exactly {100 * rate:g} % are {done[kind]}" for kind, rate in rates.items()]
        chosen = f"of the {items} that can change, {', and '.join(parts)}"
    else:
        parts = [f"{done[kind]}, with probability {rate:g}" for kind, rate in rates.items()]
        chosen = f"each of the {items} is, independently, {', or '.join(parts)}"
    return f"Text noise ({noise.kind}, algorithm {noise.algorithm}): {chosen}"


def _describe_text_result(configuration: Configuration, words: str) -> str:
    rows = configuration.documents.text_rows
    items = configuration.documents.read_section("text").get("items")
    counts = Counter(row.kind for row in rows)
    kinds = [f"{counts[kind]} {name}" for kind, name in TEXT_NAMES.items() if counts[kind]]
    return f". Changed: {_format_share(len(rows), items, words)}{_format_parts(kinds)}"


_LABEL_CHANGES = {
    "both": ("objects", "the label, active or not, is flipped"),
    "forget": ("active objects", "the label becomes inactive"),
    "mark": ("inactive objects", "the label becomes active"),
    "uniform": ("objects", "another category is drawn from all of the dataset"),
    "supercategory": ("objects", "another category is drawn from the same supercategory"),
    "matrix": ("objects", "another category is drawn by a matrix of confusions"),
}
"""What noise in labels is for, and what it does, by its change."""


def _describe_label_noise(noise: Noise) -> str:
    objects, done = _LABEL_CHANGES[str(noise.change)]
    if noise.kind == CLASS and noise.parameters["own"]:
        done = done.replace("another category is drawn", "a category is drawn, perhaps its own,")
    if noise.exact:
        words = f"for exactly {100 * noise.rate:g} % of the {objects} {done}"
    else:
        words = f"for each of the {objects} {done} with probability {noise.rate:g}, independently"
    return f"Noise in labels ({noise.kind}, algorithm {noise.algorithm}): {words}"


def _describe_label_result(configuration: Configuration, noise: Noise) -> str:
    rows = [row for row in configuration.documents.label_rows if row.kind == noise.kind]
    section = configuration.documents.read_section("labels").get(noise.kind, {})
    flips = {"forgotten": False, "marked": True}
    counts = ((sum(row.value is value for row in rows), name) for name, value in flips.items())
    kinds = [f"{count} {name}" for count, name in counts if count]
    changed = sum(row.has_changed for row in rows)
    words = "categories" if noise.kind == CLASS else "labels"
    share = _format_share(changed, section.get("items"), words)
    return f". Changed: {share}{_format_parts(kinds)}"


def _format_share(count: int, items: object, words: str) -> str:
    if not isinstance(items, int) or not items:
        return f"{count} {words}"
    return f"{count} of {items} {words} ({100 * count / items:.1f} %)"


def _format_parts(parts: Sequence[str]) -> str:
    return f", of which {join_words(parts, 'and')}" if len(parts) > 1 else ""


def join_words(words: Sequence[str], last: str) -> str:
    """Join words with commas, and the last two with a word.

    >>> join_words(["a", "b", "c"], "or"), join_words(["a"], "and")
    ('a, b or c', 'a')
    """
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
