"""The works that a release was made from, as its NOTICE names them."""

from __future__ import annotations

from dataclasses import dataclass

from actiseg_noise.releases.contents.release_contents import ReleaseContents
from actiseg_noise.releases.metadata.source_statements import (
    ACTIONVOS_ADDRESS,
    VISOR_ADDRESS,
    is_visor,
)


@dataclass(frozen=True)
class CitedWork:
    """A publication that a release is based on.

    Attributes
    ----------
    key : str
        BibTeX key.
    authors : tuple of (str, str)
        Given names and family name of each author.
    title, venue : str
        Title, and where it was published.
    year : int
        Of the publication.
    url : str
        Where it is described.
    article : bool
        Whether it is in a journal; otherwise it is in the proceedings of a conference.
    """

    key: str
    authors: tuple[tuple[str, str], ...]
    title: str
    venue: str
    year: int
    url: str
    article: bool = False


def _split_authors(names: str) -> tuple[tuple[str, str], ...]:
    pairs = (name.strip().rpartition(" ") for name in names.split(","))
    return tuple((given, family) for given, _, family in pairs)


VISOR_WORKS = (
    CitedWork(
        "darkhalil2022visor",
        _split_authors(
            "A. Darkhalil, D. Shan, B. Zhu, J. Ma, A. Kar, R. Higgins, S. Fidler, D. Fouhey, "
            "D. Damen"
        ),
        "EPIC-KITCHENS VISOR Benchmark: VIdeo Segmentations and Object Relations",
        "Advances in Neural Information Processing Systems: Datasets and Benchmarks",
        2022,
        VISOR_ADDRESS,
    ),
    CitedWork(
        "damen2022rescaling",
        _split_authors(
            "D. Damen, H. Doughty, G. M. Farinella, A. Furnari, E. Kazakos, J. Ma, D. Moltisanti, "
            "J. Munro, T. Perrett, W. Price, M. Wray"
        ),
        "Rescaling Egocentric Vision: Collection, Pipeline and Challenges for EPIC-KITCHENS-100",
        "International Journal of Computer Vision",
        2022,
        "https://epic-kitchens.github.io/",
        article=True,
    ),
)
ACTION_WORKS = (
    CitedWork(
        "ouyang2024actionvos",
        _split_authors("L. Ouyang, R. Liu, Y. Huang, R. Furuta, Y. Sato"),
        "ActionVOS: Actions as Prompts for Video Object Segmentation",
        "European Conference on Computer Vision (ECCV)",
        2024,
        ACTIONVOS_ADDRESS,
    ),
)


def list_cited_works(contents: ReleaseContents) -> tuple[CitedWork, ...]:
    """List the works to cite with a release; empty if only its NOTICE knows them."""
    if not is_visor(contents):
        return ()
    return VISOR_WORKS + ACTION_WORKS * contents.kind.has_actions
