"""The medium of text: names, prompts, narrations and referring expressions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import InputError
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.core.workers import ProgressCallback, WorkerPool
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.layouts.expression_documents import find_expressions
from actiseg_data.layouts.image_sets import name_image_sets_files
from actiseg_data.layouts.opening import require_actions
from actiseg_data.layouts.split import Split
from actiseg_data.records.ledger_record import TextRow
from actiseg_data.records.recipe_record import RECIPE_FILE
from actiseg_data.records.split_documents import LEXICON_FILE, SUMMARY_FILE
from actiseg_noise.media.expression_consistency import (
    find_expression_inconsistencies,
    find_noisy_expressions,
)
from actiseg_noise.media.library_versions import list_versions
from actiseg_noise.media.medium import Medium, MediumComparison, MediumPlan
from actiseg_noise.media.row_comparison import compare_rows
from actiseg_noise.media.summary_sections import compare_section
from actiseg_noise.media.text_consistency import find_text_inconsistencies
from actiseg_noise.media.text_summary import (
    TextSection,
    build_text_section,
    is_text_section,
    summarise_similarity,
)
from actiseg_noise.recipes.kind_specs import IMPORTED
from actiseg_noise.split.list_documents import ListDocuments
from actiseg_noise.split.noise_inputs import NoiseInputs
from actiseg_noise.split.noisy_documents import SplitDocuments
from actiseg_noise.split.noisy_split import (
    choose_differences,
    find_differences_obstacle,
    read_carried_lexicon,
)
from actiseg_noise.text_noise.expression_plan import plan_expression_text
from actiseg_noise.text_noise.imported_text import plan_imported_text
from actiseg_noise.text_noise.sequence_words import Thresholds
from actiseg_noise.text_noise.text_plan import TextPlan, plan_text


@dataclass(frozen=True)
class TextMediumPlan(MediumPlan):
    """The text noise of a run.

    Attributes
    ----------
    words : TextPlan
        The rewritten documents and their ledger rows.
    """

    words: TextPlan

    @property
    def exact_thresholds(self) -> dict[str, Any]:
        """The thresholds of flips and substitutions, if the noise is exact."""
        thresholds = self.words.thresholds
        return (
            {"text_thresholds": [thresholds.flip, thresholds.substitute]}
            if self.noise.exact
            else {}
        )

    def rewrite_documents(self, documents: ListDocuments) -> ListDocuments:
        """Take the rewritten documents of the plan, which is made from the clean ones.

        No other medium rewrites documents before text noise does.
        """
        return documents.replace(self.words.documents, self.words.digests)

    @property
    def rows(self) -> Mapping[str, Sequence[TextRow]]:
        """Ledger rows by sequence folder."""
        return self.words.rows

    def list_versions(self) -> dict[str, str]:
        """List the version of spaCy, which finds the nouns of expressions."""
        return list_versions(masks=False, language=bool(self.words.expressions))

    def start_section(self) -> TextSection:
        """Start to summarise the run."""
        return TextSection(self.noise, self.words)

    def forecast(
        self,
        split: Split,
        sequences: Sequence[VideoSequence],
        workers: int | WorkerPool = 1,
        progress: ProgressCallback | None = None,
    ) -> str:
        """Say how many prompts or narrations would be flipped or substituted."""
        tally = self.words.tally
        parts = [
            f"{tally[done]} of {tally[items]} {done}"
            for done, items in (("flipped", "flip_items"), ("substituted", "rest_items"))
            if tally[items]
        ]
        return f"text: {' and '.join(parts) or 'none'} would be changed"

    def compare_documents(
        self, documents: SplitDocuments, sequences: Sequence[VideoSequence]
    ) -> MediumComparison:
        """Compare the summary and the ledger's rows for text with this plan."""
        counts = Counter(prompts=sum(len(seq.objects) for seq in sequences))
        if self.words.expressions:
            number = sum(self.words.expressions[sequence.folder] for sequence in sequences)
            counts = Counter(expressions=number)
        result = MediumComparison(counts=counts)
        expected = build_text_section(self.noise, self.words)
        if not is_text_section(documents.summary.get("text"), expected):
            result.lines.append(f"{SUMMARY_FILE}: text is not what the source gives")
        result.lines.extend(compare_rows("text", documents.text_rows, self.words.rows, sequences))
        return result


@dataclass(frozen=True)
class TextMedium(Medium):
    """The names, prompts and narrations of a split, or its referring expressions."""

    name = "text"
    section = "text"
    needs_masks = False
    needs_lexicon = True

    def plan(
        self, split: Split, sequences: Sequence[VideoSequence], inputs: NoiseInputs
    ) -> TextMediumPlan:
        """Draw the text noise and rewrite the documents, in memory."""
        if self.noise.kind == IMPORTED:
            changes = choose_differences(self.noise, inputs.differences).text or {}
            lexicon = inputs.lexicon or load_lexicon()
            imported = plan_imported_text(require_actions(split), sequences, changes, lexicon)
            return TextMediumPlan(self.recipe, self.noise, imported)
        known = (inputs.thresholds or {}).get("text_thresholds") if self.noise.exact else None
        thresholds = None if known is None else Thresholds(*known)
        more = (self.recipe, sequences, inputs.lexicon, thresholds)
        name = find_expressions(split)
        if name is not None:
            words = plan_expression_text(split, name, *more)
        else:
            words = plan_text(require_actions(split), *more)
        return TextMediumPlan(self.recipe, self.noise, words)

    def find_inconsistencies(self, split: Split, documents: SplitDocuments) -> Iterator[str]:
        """Compare summary, ledger and lists with each other."""
        yield from compare_section(documents, self.section, _build_section(documents), self.noise)
        name = find_expressions(split)
        if name is not None:
            yield from find_expression_inconsistencies(split, name, documents.text_rows)
        else:
            yield from find_text_inconsistencies(
                require_actions(split), self.noise, documents.text_rows
            )

    @classmethod
    def find_traces(cls, split: Split, documents: SplitDocuments) -> Iterator[str]:
        """Find noisy text in the lists, and ledger rows for text."""
        expected = _build_section(documents)
        yield from compare_section(documents, cls.section, expected if expected["selected"] else {})
        for name in name_image_sets_files(split.name):
            path = split.root / IMAGE_SETS / name
            if path.is_file() and any(key in read_bytes(path) for key in _CLEAN_KEYS):
                yield f"{IMAGE_SETS}/{name}: has text noise, which {RECIPE_FILE} lacks"
        expressions = find_expressions(split)
        if expressions is not None:
            yield from find_noisy_expressions(split, expressions)

    def find_obstacle(self, out: Path) -> str | None:
        """Return how the carried or installed lexicon differs from the recipe's, if it does."""
        wanted = self.noise.parameters["lexicon"]
        try:
            carried = read_carried_lexicon(out)
        except InputError as error:
            return f"{LEXICON_FILE}: {error.problems[0].what}"
        if carried is not None and carried.digest != wanted:
            return f"{LEXICON_FILE}: is not the lexicon that {RECIPE_FILE} names"
        if carried is None and load_lexicon().digest != wanted:
            return (
                f"{LEXICON_FILE}: is missing, or the split was made by another release with a "
                "different lexicon"
            )
        return find_differences_obstacle(out, self.noise) if self.noise.kind == IMPORTED else None

    def list_versions(self) -> dict[str, str]:
        """List the versions of Python and, if narrations are parsed, of spaCy."""
        return list_versions(masks=False, language=self.noise.scope != "prompt")


_CLEAN_KEYS = (b'exp_org"', b'class_id_org"', b'category_org"', b'narration_org"')
"""What the lists of a split with noisy text have in them."""


def _build_section(documents: SplitDocuments) -> dict[str, Any]:
    rows = documents.text_rows
    return {"selected": len(rows), "similarity": summarise_similarity(rows)}
