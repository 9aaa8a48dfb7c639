"""Open WordNet 3.0 with NLTK's reader, from NLTK's data or from a folder with the database."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_noise.text_noise.language_packages import load_language_package

WordNet: TypeAlias = Any
"""NLTK's `WordNetCorpusReader`, which has no types."""

VERSION = "3.0"

_PARTS = ("adj", "adv", "noun", "verb")
_FILES = (
    *(f"{kind}.{part}" for kind in ("index", "data") for part in _PARTS),
    *(f"{part}.exc" for part in _PARTS),
    "cntlist.rev",
)
_OPTIONAL = ("lexnames", "index.sense")

# The lexicographer files of WordNet 3.0 in the order of lexnames(5WN). Debian's package lacks the
# file, but NLTK's reader needs it.
_LEXNAMES = """\
adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body
noun.cognition noun.communication noun.event noun.feeling noun.food noun.group noun.location
noun.motive noun.object noun.person noun.phenomenon noun.plant noun.possession noun.process
noun.quantity noun.relation noun.shape noun.state noun.substance noun.time verb.body verb.change
verb.cognition verb.communication verb.competition verb.consumption verb.contact verb.creation
verb.emotion verb.motion verb.perception verb.possession verb.social verb.stative verb.weather
adj.ppl"""
_PART_NUMBERS = {"noun": 1, "verb": 2, "adj": 3, "adv": 4}


@contextmanager
def open_wordnet(folder: Path | None) -> Iterator[WordNet]:
    """Open WordNet 3.0 with NLTK's reader, for the duration of the context.

    Parameters
    ----------
    folder : Path or None
        Folder with ``data.noun`` and the other database files; None for NLTK's data.

    Yields
    ------
    WordNet
        The reader.

    Raises
    ------
    InputError
        If NLTK or the database is missing, or the database has another version.
    """
    nltk = load_language_package("nltk", "building a lexicon")
    load_language_package("nltk.corpus", "building a lexicon")
    if folder is None:
        yield _check_version(_load_installed(nltk), "NLTK's WordNet")
        return
    _refuse_incomplete(folder)
    with tempfile.TemporaryDirectory() as scratch:
        # NLTK reads only within the folders of its search path, and follows no links out of them.
        corpus = Path(scratch) / "corpora" / "wordnet"
        corpus.mkdir(parents=True)
        for name in (*_FILES, *_OPTIONAL):
            if (folder / name).is_file():
                shutil.copyfile(folder / name, corpus / name)
        _fill_in(corpus)
        nltk.data.path.insert(0, scratch)
        reader = None
        try:
            reader = _read(nltk, corpus)
            yield _check_version(reader, folder)
        finally:
            nltk.data.path.remove(scratch)
            # NLTK opens this file for `Lemma.count` and does not close it.
            if reader is not None and reader._key_count_file is not None:
                reader._key_count_file.close()


def _load_installed(nltk: Any) -> WordNet:
    try:
        nltk.corpus.wordnet.ensure_loaded()
    except LookupError:
        raise refuse(
            "NLTK has no WordNet",
            "`wordnet`",
            "run python -m nltk.downloader wordnet, or give the folder of the database",
        ) from None
    return nltk.corpus.wordnet


def _refuse_incomplete(folder: Path) -> None:
    problems = ProblemCollector()
    for name in _FILES:
        if not (folder / name).is_file():
            problems.add(
                f"lacks the file {name}", folder, "give the folder of WordNet 3.0's database files"
            )
    problems.raise_if_any()


def _fill_in(corpus: Path) -> None:
    """Write the files that the reader opens at its start and that we do not use."""
    for name in _OPTIONAL:
        (corpus / name).touch()
    if not (corpus / "lexnames").stat().st_size:
        rows = (
            f"{number:02d}\t{name}\t{_PART_NUMBERS[name.partition('.')[0]]}\n"
            for number, name in enumerate(_LEXNAMES.split())
        )
        (corpus / "lexnames").write_text("".join(rows))


def _read(nltk: Any, corpus: Path) -> WordNet:
    reader = load_language_package("nltk.corpus.reader.wordnet", "building a lexicon")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about missing languages
        root = nltk.data.find("corpora/wordnet", [str(corpus.parents[1])])
        return reader.WordNetCorpusReader(root, None)


def _check_version(reader: WordNet, where: Path | str) -> WordNet:
    version = reader.get_version()
    if version != VERSION:
        raise refuse(
            f"is WordNet {version}, in which synsets have other names",
            where,
            f"give WordNet {VERSION} as `wordnet` (Debian: wordnet-base; NLTK: wordnet)",
        )
    return reader
