"""Tables and notes of text statistics, for inspections and audits."""

from __future__ import annotations

from collections.abc import Iterator

from actiseg_data.core.plurals import count_nouns
from actiseg_data.core.tables import ReportPart, Table
from actiseg_noise.measurement.mask_tables import MOST_CLASSES
from actiseg_noise.measurement.proportions import Proportion
from actiseg_noise.measurement.report_parts import format_proportion
from actiseg_noise.measurement.text_changes import TextGroup, TextStatistics

_COLUMNS = ("flipped", "rate", "similarity", "renamed", "eligible", "rate of renames")


def describe_text(text: TextStatistics) -> Iterator[ReportPart]:
    """Describe the noise in the text of a split."""
    items, texts = text.terms
    groups = (text.all, *text.by_supercategory)
    yield Table(
        "text by supercategory",
        ("supercategory", items, *_COLUMNS),
        [[group.name, *_format_group(group)] for group in groups],
    )
    yield _tabulate_classes(text)
    yield f"eligible: {items} that were not flipped and whose class has another name."
    seen = text.renames_seen
    if seen.items != text.all.substitutions.items:
        yield f"renames if the files have another name of the class: {format_proportion(seen)}"
    if text.renamed_to_sisters:
        yield (
            f"renamed to a sister term, which names another thing: {text.renamed_to_sisters}; the "
            "class id stays, so they are not among the flipped"
        )
    if text.renamed_one_name:
        yield f"renamed although the lexicon has no other name to write: {text.renamed_one_name}"
    if text.harmless:
        yield (
            f"flips that are not errors: {text.harmless} go to a class that includes the clean "
            "class, as hand includes right hand"
        )
    yield f"{texts} that differ from the clean ones: {format_proportion(text.changed)}"
    yield from _describe_similarity(text)
    yield (
        f"collisions: {text.name_collisions} changed {items} have the name of another object in "
        f"their sequence, {text.class_collisions} have its class"
    )
    if text.contradictions is not None:
        yield (
            "contradictions: "
            f"{count_nouns(text.contradictions, 'flipped prompt has', 'flipped prompts have')} a "
            "narration that still names the clean class"
        )
    if text.unknown_classes:
        yield f"{items} of classes that the lexicon lacks: {text.unknown_classes}"


def _describe_similarity(text: TextStatistics) -> Iterator[ReportPart]:
    mean = text.all.similarity["mean"]
    if mean is not None and text.uniform_similarity is not None:
        yield (
            f"WordNet similarity of flips: mean {mean:.3f}; uniform flips would have "
            f"{text.uniform_similarity:.3f}"
        )


def _tabulate_classes(text: TextStatistics) -> Table:
    """Tabulate the classes with the most objects, with one row for all others."""
    ranked = sorted(text.by_class.values(), key=lambda group: (-group.flips.items, group.name))
    rows = [[group.name, *_format_group(group)] for group in ranked[:MOST_CLASSES]]
    if len(ranked) > MOST_CLASSES:
        rows.append(_sum_groups(ranked[MOST_CLASSES:]))
    return Table("text by class", ("class", text.terms.items, *_COLUMNS), rows)


def _format_group(group: TextGroup) -> list[str]:
    mean = group.similarity["mean"]
    return [
        str(group.flips.items),
        str(group.flips.hits),
        _format_rate(group.flips),
        "-" if mean is None else f"{mean:.3f}",
        str(group.substitutions.hits),
        str(group.substitutions.items),
        _format_rate(group.substitutions),
    ]


def _sum_groups(groups: list[TextGroup]) -> list[str]:
    flips = sum(group.flips.hits for group in groups)
    objects = sum(group.flips.items for group in groups)
    renames = sum(group.substitutions.hits for group in groups)
    renamable = sum(group.substitutions.items for group in groups)
    name = f"{len(groups)} others"
    return [name, str(objects), str(flips), "-", "-", str(renames), str(renamable), "-"]


def _format_rate(proportion: Proportion) -> str:
    return "-" if proportion.rate is None else f"{proportion.rate:.3f}"
