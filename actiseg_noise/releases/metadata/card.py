"""The dataset card of a release: ``README.md``."""

from __future__ import annotations

from collections.abc import Iterator

from actiseg_data.records.ledger_record import name_kinds
from actiseg_noise.recipes.published import name_recipe
from actiseg_noise.releases.contents.escaping import escape_markdown, quote_block
from actiseg_noise.releases.contents.release_contents import ReleaseContents
from actiseg_noise.releases.metadata.card_baselines import BASELINES_TITLE, compose_baselines
from actiseg_noise.releases.metadata.card_blocks import format_list, format_statement, format_table
from actiseg_noise.releases.metadata.card_header import compose_header
from actiseg_noise.releases.metadata.card_noise import compose_noise
from actiseg_noise.releases.metadata.card_use import (
    compose_fields,
    compose_files,
    compose_loading,
    compose_rebuilding,
)
from actiseg_noise.releases.metadata.citation import compose_bibtex
from actiseg_noise.releases.metadata.licence_files import describe_licences
from actiseg_noise.releases.metadata.release_facts import count_contents, count_rows
from actiseg_noise.releases.metadata.release_statements import (
    compose_notice,
    describe_maintenance,
    describe_release,
    describe_responsibility,
    list_changes,
    list_handled,
    list_missing,
)
from actiseg_noise.releases.metadata.source_statements import (
    describe_annotators,
    describe_persons,
    list_addresses,
)
from actiseg_noise.releases.metadata.use_statements import (
    list_biases,
    list_limits,
    list_misuses,
    list_protocol,
    list_uses,
)

CARD_FILE = "README.md"


def compose_card(contents: ReleaseContents) -> str:
    """Compose the dataset card of a release. Its pictures are those among the release's files."""
    sections = (
        ("", _compose_summary),
        ("What was changed", compose_noise),
        ("Load", compose_loading),
        ("Check and rebuild", compose_rebuilding),
        ("Files", compose_files),
        ("Fields", compose_fields),
        *([(BASELINES_TITLE, _compose_scores)] if contents.baselines is not None else []),
        ("Uses", _compose_uses),
        ("Evaluation protocol", lambda c: [format_list(c, list_protocol(c))]),
        ("Known limits", _compose_limits),
        ("Who made the labels", lambda c: [format_list(c, describe_annotators(c))]),
        ("Personal data", lambda c: [format_statement(c, describe_persons(c))]),
        ("Licence and attribution", _compose_licence),
        ("Citation", lambda c: [quote_block(compose_bibtex(c))]),
        ("Versions and maintenance", _compose_versions),
    )
    blocks = [compose_header(contents), f"# {escape_markdown(contents.description.title)}"]
    for title, compose in sections:
        blocks += [f"## {title}"] if title else []
        blocks += compose(contents)
    return "\n\n".join(block.rstrip("\n") for block in blocks) + "\n"


def _compose_summary(contents: ReleaseContents) -> Iterator[str]:
    yield escape_markdown(describe_release(contents))
    rows = []
    kind = contents.kind
    has_text = kind.has_prompts or any(
        entry.documents.text_rows for entry in contents.configurations
    )
    has_labels = any(entry.documents.label_rows for entry in contents.configurations)
    for entry in contents.configurations:
        recipe, documents = entry.split.recipe, entry.documents
        counts = count_contents(entry)
        row = [entry.name, recipe.split, *map(str, counts.values())]
        row += [str(count_rows(contents, entry) or "")]
        row += [str(len(name_kinds(documents.mask_rows)))]
        row += [str(len(documents.text_rows))] * has_text
        row += [str(sum(row.has_changed for row in documents.label_rows))] * has_labels
        row += [name_recipe(recipe) or recipe.digest]
        rows.append(row)
    heads = ("configuration", "split", *counts, "rows")
    changed = [
        "changed masks",
        *["changed text (objects)" if kind.has_actions else "changed nouns"] * has_text,
        *["changed labels (objects)"] * has_labels,
    ]
    yield format_table((*heads, *changed, "recipe"), rows)
    url = contents.description.url
    published = "" if contents.description.date is None else f", {contents.description.date}"
    yield f"Version {escape_markdown(contents.description.version)}{published}" + (
        f", at <{url}>." if url else "."
    )
    names = ", ".join(author.name for author in contents.description.authors)
    yield f"Authors: {escape_markdown(names)}."
    yield format_statement(contents, describe_responsibility(contents))


def _compose_scores(contents: ReleaseContents) -> Iterator[str]:
    assert contents.baselines is not None, "the section is left out without baselines"
    names = {entry.labels: entry.name for entry in contents.configurations}
    yield from compose_baselines(contents.baselines, names)


def _compose_limits(contents: ReleaseContents) -> Iterator[str]:
    yield format_list(contents, list_limits(contents))
    yield "Known biases:"
    yield format_list(contents, list_biases(contents))
    yield "Not in the release:"
    yield format_list(contents, list_missing(contents) or ["Nothing is known to be missing."])
    yield "Special cases that the program handled:"
    yield format_list(contents, list_handled(contents))


def _compose_uses(contents: ReleaseContents) -> Iterator[str]:
    yield "Meant for:"
    yield format_list(contents, list_uses(contents))
    yield "Not fit for:"
    yield format_list(contents, list_misuses(contents))


def _compose_licence(contents: ReleaseContents) -> Iterator[str]:
    yield format_table(("part", "licence"), describe_licences(contents), list_addresses(contents))
    yield "Full texts are in `licences/`. The NOTICE of this release:"
    yield quote_block(compose_notice(contents))


def _compose_versions(contents: ReleaseContents) -> Iterator[str]:
    yield format_statement(contents, describe_maintenance(contents))
    changes = list_changes(contents)
    if not changes:
        yield "This is the first version."
    for version, lines in changes:
        yield f"Changes since {escape_markdown(version)}:"
        yield format_list(contents, lines or ("none",))
