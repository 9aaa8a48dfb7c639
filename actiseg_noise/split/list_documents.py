"""The lists and companion files of a run, while the noises of a recipe rewrite them in turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import parse_json
from actiseg_data.core.files import encode_json
from actiseg_data.layouts.split import Split


@dataclass(frozen=True)
class ListDocuments:
    """The lists and companion files of a run, as the noises so far have left them.

    Attributes
    ----------
    split : Split
        The clean split.
    sequences : tuple of VideoSequence
        The sequences of the run.
    contents : mapping of str to bytes
        The documents that were rewritten, by relative path, encoded.
    digests : mapping of str to str
        Digests of their content.
    """

    split: Split
    sequences: tuple[VideoSequence, ...]
    contents: Mapping[str, bytes] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)

    def read(self, name: str) -> Any:
        """Return the content of a document, restricted to the sequences of the run."""
        if name in self.contents:
            return parse_json(self.contents[name], name)
        return self.split.cut_document(name, self.sequences)[0]

    def encode(self, documents: Mapping[str, Any]) -> ListDocuments:
        """Return the documents with new content of some, by relative path."""
        contents = {name: encode_json(document) for name, document in documents.items()}
        digests = {name: digest_json(document) for name, document in documents.items()}
        return self.replace(contents, digests)

    def replace(self, contents: Mapping[str, bytes], digests: Mapping[str, str]) -> ListDocuments:
        """Return the documents with new content of some, which is encoded already."""
        return replace(
            self, contents={**self.contents, **contents}, digests={**self.digests, **digests}
        )
