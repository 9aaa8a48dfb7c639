"""The contents of a release, from which all its documents are composed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from actiseg_data.make.prepare.raw_inputs import RawInput
from actiseg_data.records.baseline_record import Baselines, NoisyLabelsSource
from actiseg_data.records.licence_terms import LicenceTerms, load_licences
from actiseg_noise.releases.contents.data_kind import DataKind, find_data_kind
from actiseg_noise.releases.contents.description import ReleaseDescription
from actiseg_noise.split.noisy_documents import SplitDocuments
from actiseg_noise.split.noisy_split import NoisySplit

DATA_CHOICES = ("none", "masks", "frames")
"""What data a release has besides its rebuild kits."""

LEXICON_LICENCE = "CC-BY-NC-4.0"
"""The licence of the installed lexicon, besides that of WordNet."""


@dataclass(frozen=True)
class Configuration:
    """One noisy split of a release.

    Attributes
    ----------
    name : str
        Such as ``boundary-40``: letters, digits, hyphens and dots. Unique in the release.
    split : NoisySplit
        The noisy split and its source.
    documents : SplitDocuments
        Its recipe, summary, digests and ledger.
    clean_digests : mapping
        `actiseg_noise.split.clean_parts.CleanPart.digest_files` of the source, by sequence folder.
    clean_sizes : mapping of str to int
        How many items of each size mask noise could select in the source.
    origin : str or None
        For an imported split, the name of the folder that it was imported from.
    """

    name: str
    split: NoisySplit
    documents: SplitDocuments
    clean_digests: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    clean_sizes: Mapping[str, int] = field(default_factory=dict)
    origin: str | None = None

    @property
    def folder(self) -> Path:
        """The folder of the noisy split."""
        return self.split.noisy.root

    @property
    def labels(self) -> NoisyLabelsSource:
        """What its labels were made from."""
        return NoisyLabelsSource(self.split.recipe.digest, self.split.source.fingerprint)

    @cached_property
    def kind(self) -> DataKind:
        """The kind of its data."""
        return find_data_kind(self.split.noisy)


@dataclass(frozen=True)
class ReleaseSource:
    """The clean dataset that all configurations were made from.

    Attributes
    ----------
    root : Path
        Its folder. No document names it.
    licences : tuple of LicenceTerms
        The licences that it states; all of them apply.
    license_text, notice_text : str
        Its LICENSE and NOTICE.
    inputs : mapping of str to tuple of RawInput
        The raw files that each split was prepared from.
    rendered : bool
        Whether its frames are rendered and not photographs.
    synthetic : bool
        Whether it is the built-in sample.
    """

    root: Path
    licences: tuple[LicenceTerms, ...]
    license_text: str
    notice_text: str
    inputs: Mapping[str, tuple[RawInput, ...]]
    rendered: bool
    synthetic: bool


@dataclass(frozen=True)
class ReleaseFile:
    """A file of a release.

    Attributes
    ----------
    name : str
        Relative path with forward slashes, such as ``data/text-40/train-00000-of-00001.parquet``.
    role : str
        ``kit``, ``parquet``, ``archive``, ``table``, ``picture``, ``document`` or ``licence``.
    configuration : str or None
        The configuration that it belongs to.
    split : str or None
        The split that a Parquet file has rows of.
    size : int
        Bytes.
    sha256 : str
        64 hexadecimal digits.
    rows : int or None
        Rows of a Parquet file.
    """

    name: str
    role: str
    configuration: str | None
    split: str | None
    size: int
    sha256: str
    rows: int | None = None


@dataclass(frozen=True)
class ReleaseContents:
    """All that the documents of a release are composed from.

    Attributes
    ----------
    description : ReleaseDescription
        What the maintainer says.
    source : ReleaseSource
        The clean dataset.
    configurations : tuple of Configuration
        The noisy splits.
    data : str
        One of `DATA_CHOICES`.
    frames_licence : LicenceTerms or None
        The licence of the photographs, if they are in the release.
    files : tuple of ReleaseFile
        The data files: kits, Parquet shards, archives, tables and pictures.
    changes : mapping of str to tuple of str
        For each earlier version, the newest first, what changed since. Empty for a first release.
    baselines : Baselines or None
        Scores of methods that were trained on labels of the release.
    """

    description: ReleaseDescription
    source: ReleaseSource
    configurations: tuple[Configuration, ...]
    data: str
    frames_licence: LicenceTerms | None
    files: tuple[ReleaseFile, ...]
    changes: Mapping[str, tuple[str, ...]]
    baselines: Baselines | None = None

    @property
    def kind(self) -> DataKind:
        """The kind of data of the source."""
        return self.configurations[0].kind

    @property
    def own(self) -> tuple[Configuration, ...]:
        """The configurations whose noise this toolkit made."""
        return tuple(entry for entry in self.configurations if entry.origin is None)

    @property
    def imported(self) -> tuple[Configuration, ...]:
        """The configurations that were imported from noisy copies of other generators."""
        return tuple(entry for entry in self.configurations if entry.origin is not None)

    @property
    def licences(self) -> tuple[LicenceTerms, ...]:
        """All licences of what is in the release, without repeats.

        The names that text noise writes derive from EPIC-KITCHENS-100, if they are those of the
        installed lexicon.
        """
        terms = list(self.source.licences)
        if self.uses_installed_lexicon:
            terms.append(load_licences()[LEXICON_LICENCE])
        if self.frames_licence is not None:
            terms.append(self.frames_licence)
        return tuple(dict.fromkeys(terms))

    @property
    def uses_installed_lexicon(self) -> bool:
        """Whether text noise of any configuration wrote names of the installed lexicon."""
        return any(
            entry.split.lexicon is None
            and any("lexicon" in noise.parameters for noise in entry.split.recipe.noises)
            for entry in self.configurations
        )
