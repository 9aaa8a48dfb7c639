"""`lexicon`: build a lexicon, show its classes, and measure its coverage of narrations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from actiseg_data.core.errors import refuse
from actiseg_data.terminal.command_line import quote_path
from actiseg_noise.cli.shared_options import LexiconFile

if TYPE_CHECKING:
    from actiseg_data.annotations.lexicon import Lexicon, NounClass
    from actiseg_noise.lexicon_builder.lexicon_building import BuiltLexicon


def build(
    out: Annotated[Path, typer.Option(help="The lexicon to write (JSON).")],
    noun_classes: Annotated[
        Optional[Path],
        typer.Option(help="EPIC_100_noun_classes_v2.csv, for a lexicon with the reviewed senses."),
    ] = None,
    names: Annotated[
        Optional[Path],
        typer.Option(
            help="A list of your own nouns: lines such as 'name' or 'id: name, second name @ "
            "synset', or a CSV file with a column 'name'."
        ),
    ] = None,
    wordnet: Annotated[
        Optional[Path],
        typer.Option(help="Folder of the WordNet 3.0 database. Default: the NLTK data."),
    ] = None,
    senses: Annotated[
        Optional[Path],
        typer.Option(
            help="Senses chosen by hand, as CSV or JSON: names and synsets (mouse,mouse.n.04)."
        ),
    ] = None,
    table: Annotated[
        Optional[Path], typer.Option(help="Also write the senses as a Markdown table.")
    ] = None,
) -> None:
    """Build a lexicon from the EPIC-KITCHENS noun classes, or from your own list of nouns.

    Example: actiseg-noise lexicon build --names nouns.txt --wordnet /usr/share/wordnet --out
    lexicon.json
    """
    from actiseg_data.core.files import write_bytes
    from actiseg_data.layouts.report_files import check_report_file
    from actiseg_noise.lexicon_builder.lexicon_building import (
        build_from_list,
        build_from_table,
        to_lines,
    )
    from actiseg_noise.lexicon_builder.sense_table import format_sense_table

    if (noun_classes is None) == (names is None):
        raise refuse(
            "no source given, or two", "lexicon build", "give either --noun-classes or --names"
        )
    check_report_file(out, (), "out")
    if table is not None:
        check_report_file(table, (), "table")
    if noun_classes is not None:
        built = build_from_table(noun_classes, wordnet, senses)
        command = "actiseg-noise lexicon build --noun-classes EPIC_100_noun_classes_v2.csv --table"
    elif names is not None:
        built = build_from_list(names, wordnet, senses)
        command = "actiseg-noise lexicon build --names NOUNS --table"
    write_bytes(out, "".join(to_lines(built.document)).encode())
    if table is not None:
        write_bytes(table, "".join(format_sense_table(built, command)).encode())
    names_to_write = sum(
        name["use"] == "write" for noun in built.document["classes"] for name in noun["names"]
    )
    print(f"{len(built.senses)} classes, {names_to_write} names to write, WordNet 3.0")
    if names is not None:
        _print_uncertain(built)
    print(f"made {out}")
    print(f"next: actiseg-noise lexicon show NAME --lexicon {quote_path(out)}")


def _print_uncertain(built: BuiltLexicon) -> None:
    """Print the senses that a person should check, with their alternatives."""
    from actiseg_noise.lexicon_builder.sense_table import list_uncertain_senses

    lines = list(list_uncertain_senses(built))
    count = sum(sense.uncertain for sense in built.senses.values())
    print(f"uncertain senses: {count} of {len(built.senses)}")
    for line in lines:
        print(f"  {line}")
    if lines:
        print("choose a sense: 'mouse @ mouse.n.04' in the list, or --senses FILE (name,synset)")


def show(
    name: Annotated[str, typer.Argument(help="A class name or id.", show_default=False)],
    lexicon_file: LexiconFile = None,
) -> None:
    """Show a class: its sense, its names, and the classes nearest to and farthest from it.

    Example: actiseg-noise lexicon show knife
    """
    from actiseg_noise.text_noise.choices import find_classes, suggest_class

    lexicon = _load_lexicon(lexicon_file)
    classes = find_classes(name, lexicon)
    if not classes:
        raise refuse(
            f"{name[:60]!r} is not a name in {lexicon.title!r}{suggest_class(name, lexicon)}",
            "lexicon show",
            "give the name or the id of a class",
        )
    for class_id in classes:
        _describe(lexicon.classes[class_id], lexicon)


def _describe(noun: NounClass, lexicon: Lexicon) -> None:
    group = "" if noun.supercategory is None else f", {noun.supercategory}"
    print(f"{noun.class_id} {noun.name}{group}")
    candidates = ", ".join(noun.candidates) or "none"
    print(f"sense: {noun.synset} ({noun.match}); candidates: {candidates}")
    for path in noun.paths:
        print(f"  {' > '.join(synset.partition('.')[0].replace('_', ' ') for synset in path)}")
    print(f"written: {', '.join(name.text for name in noun.written)}")
    recognised = [name.text for name in noun.names if not name.written]
    if recognised:
        print(f"only recognised: {', '.join(recognised)}")
    print(f"synonyms: {', '.join(name.name.text for name in noun.synonyms) or 'none'}")
    print(f"sister terms: {', '.join(sister.name.text for sister in noun.sisters) or 'none'}")
    ranked = sorted(
        (-lexicon.measure_similarity(noun.class_id, class_id), neighbour.name)
        for class_id, neighbour in lexicon.classes.items()
        if class_id != noun.class_id
    )
    print(f"nearest: {', '.join(f'{name} {-near:.2f}' for near, name in ranked[:8])}")
    print(f"farthest: {', '.join(f'{name} {-near:.2f}' for near, name in ranked[-5:])}")


def measure_coverage(
    narrations: Annotated[
        list[Path], typer.Option(help="EPIC-KITCHENS-100 narration CSV (repeatable).")
    ],
    lexicon_file: LexiconFile = None,
    pipeline: Annotated[
        str, typer.Option(help="Installed spaCy pipeline, such as en_core_web_sm.")
    ] = "blank",
    misses: Annotated[
        Optional[Path], typer.Option(help="Also write all misses to this CSV file.")
    ] = None,
) -> None:
    """Count the narrations in which the noun of the class is recognised.

    Example: actiseg-noise lexicon coverage --narrations EPIC_100_validation.csv
    """
    from actiseg_data.layouts.report_files import check_report_file
    from actiseg_noise.lexicon_builder import narration_coverage
    from actiseg_noise.text_noise.mentions import MentionFinder, identify_pipeline

    if misses is not None:
        check_report_file(misses, (), "misses")
    lexicon = _load_lexicon(lexicon_file)
    finder = MentionFinder(lexicon, identify_pipeline(pipeline))
    coverage = narration_coverage.measure_coverage(narrations, lexicon, finder)
    rate = "" if coverage.rate is None else f" ({coverage.rate:.2%})"
    print(f"noun recognised in {coverage.recognised} of {coverage.narrations} narrations{rate}")
    if coverage.unknown:
        print(f"{coverage.unknown} narrations have a noun class that the lexicon lacks")
    print(f"{len(coverage.misses)} distinct misses; the most frequent:")
    for (text, noun, class_id), count in coverage.misses.most_common(15):
        print(f"  {count:4d}  {text!r} (noun {noun}, class {class_id})")
    if misses is not None:
        _write_misses(misses, coverage.misses.most_common())


def _write_misses(path: Path, misses: list[tuple[tuple[str, str, int], int]]) -> None:
    import csv
    import io

    from actiseg_data.terminal.file_writing import write_text

    stream = io.StringIO(newline="")
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(("count", "narration", "noun", "noun_class"))
    table.writerows((count, *miss) for miss, count in misses)
    write_text(path, stream.getvalue())


def _load_lexicon(path: Path | None) -> Lexicon:
    from actiseg_data.annotations.lexicon import load_lexicon, read_lexicon

    return load_lexicon() if path is None else read_lexicon(path)
