"""A split whose masks are polygons in documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from actiseg_data.annotations.masks import IndexMask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.layouts.document_split import DocumentSplit
from actiseg_data.layouts.visor_document import VisorDocument


@dataclass(frozen=True, repr=False)
class PolygonSplit(DocumentSplit):
    """A split whose masks are polygons in documents, see `VisorDocument`.

    Digests are of the polygons, so that they need no fill.
    """

    def open_polygons(self, sequence: VideoSequence) -> VisorDocument:
        """Read the document of a sequence."""
        document = self.open_document(str(sequence.document)).document
        assert isinstance(document, VisorDocument), "no other layout has polygons alone"
        return document

    def list_shapes(self, sequence: VideoSequence) -> list[tuple[int, ...]]:
        """Return the size of the frames for each view: a document is checked when it is read."""
        return [self.open_polygons(sequence).size] * len(sequence.views)

    def digest_masks(self, sequence: VideoSequence) -> list[str]:
        """Digest the polygons of each view."""
        document = self.open_polygons(sequence)
        views = sequence.views
        return [document.digest_segments(view.frame, view.objects[0].identity) for view in views]

    def iterate_digested(self, sequence: VideoSequence) -> Iterator[tuple[IndexMask, str]]:
        """Yield the mask of each view with the digest of its polygons."""
        yield from zip(self.iterate_masks(sequence), self.digest_masks(sequence), strict=True)
