"""The medium of labels: which objects are active, and the category of an object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import InputError, ProblemCollector, refuse
from actiseg_data.core.gc_pause import pause_gc
from actiseg_data.core.workers import ProgressCallback, WorkerPool
from actiseg_data.layouts.dataset_split import DatasetSplit
from actiseg_data.layouts.meta_categories import rename_categories
from actiseg_data.layouts.split import Split
from actiseg_data.records.ledger_record import LabelRow
from actiseg_data.records.recipe_record import ACTIVITY, Recipe
from actiseg_data.records.split_documents import SUMMARY_FILE
from actiseg_noise.label_noise.activity_flips import iterate_draws, plan_activity
from actiseg_noise.label_noise.class_draws import (
    is_without_effect,
    iterate_class_draws,
    plan_class_noise,
)
from actiseg_noise.label_noise.flag_rewriting import rewrite_companion, rewrite_list
from actiseg_noise.label_noise.label_plan import LabelPlan
from actiseg_noise.media.class_consistency import (
    find_class_inconsistencies,
    find_class_traces,
)
from actiseg_noise.media.label_consistency import (
    find_activity_inconsistencies,
    find_activity_traces,
)
from actiseg_noise.media.label_summary import LabelSection, build_label_section
from actiseg_noise.media.library_versions import list_versions
from actiseg_noise.media.medium import Medium, MediumComparison, MediumPlan
from actiseg_noise.media.row_comparison import compare_rows
from actiseg_noise.recipes.rates import find_exact_threshold
from actiseg_noise.split.list_documents import ListDocuments
from actiseg_noise.split.noise_inputs import NoiseInputs
from actiseg_noise.split.noisy_documents import LABEL_THRESHOLDS, SplitDocuments


@dataclass(frozen=True)
class LabelMediumPlan(MediumPlan):
    """The noise of one kind in labels.

    Attributes
    ----------
    labels : LabelPlan
        The drawn labels and their ledger rows.
    """

    labels: LabelPlan

    @property
    def exact_thresholds(self) -> dict[str, Any]:
        """The threshold, if the noise is exact."""
        if not self.noise.exact:
            return {}
        return {LABEL_THRESHOLDS[self.noise.kind]: self.labels.threshold}

    @property
    def rows(self) -> Mapping[str, Sequence[LabelRow]]:
        """Ledger rows by sequence folder."""
        return self.labels.rows

    @property
    def classes(self) -> Mapping[tuple[str, int], int]:
        """The new categories of objects whose category changed."""
        if self.noise.kind == ACTIVITY:
            return {}
        return {
            (folder, row.object_id): row.category_id
            for folder, rows in self.labels.rows.items()
            for row in rows
            if row.has_changed
        }

    def rewrite_documents(self, documents: ListDocuments) -> ListDocuments:
        """Flip the flags of active objects in the list and in all companion files.

        New categories get into the document that names them, if there is one.
        """
        if self.noise.kind == ACTIVITY:
            with pause_gc():
                return self._flip_flags(documents)
        split = documents.split
        name = split.category_document if isinstance(split, DatasetSplit) else None
        if name is None:
            return documents
        names = {
            folder: {object_id: value["name"] for object_id, value in changes.items()}
            for folder, changes in self.labels.changes.items()
        }
        return documents.encode({name: rename_categories(documents.read(name), names)})

    def _flip_flags(self, documents: ListDocuments) -> ListDocuments:
        split, sequences = documents.split, documents.sequences
        changes = self.labels.changes
        rewritten: dict[str, Any] = {}
        problems = ProblemCollector()
        for name in split.list_documents():
            where = split.root / name
            with problems.collect():
                document = documents.read(name)
                if where == split.list_path:
                    rewrite_list(document, sequences, changes, where)
                else:
                    videos = document["videos"]
                    rewrite_companion(where.name, split.name, videos, sequences, changes, where)
                rewritten[name] = document
        problems.raise_if_any()
        return documents.encode(rewritten)

    def start_section(self) -> LabelSection:
        """Start to summarise the run."""
        return LabelSection(self.noise, self.labels)

    def forecast(
        self,
        split: Split,
        sequences: Sequence[VideoSequence],
        workers: int | WorkerPool = 1,
        progress: ProgressCallback | None = None,
    ) -> str:
        """Say how many objects would get another label."""
        selected, items = self.labels.selected, self.labels.tally["items"]
        return f"labels ({self.noise.kind}): {selected} of {items} would be drawn"

    def compare_documents(
        self, documents: SplitDocuments, sequences: Sequence[VideoSequence]
    ) -> MediumComparison:
        """Compare the summary and the ledger's rows for labels with this plan."""
        labels = sum(len(sequence.objects) for sequence in sequences)
        result = MediumComparison(counts=Counter(labels=labels))
        kind = self.noise.kind
        if documents.read_section("labels").get(kind) != build_label_section(
            self.noise, self.labels
        ):
            result.lines.append(f"{SUMMARY_FILE}: labels.{kind} is not what the source gives")
        rows = [row for row in documents.label_rows if row.kind == kind]
        result.lines.extend(compare_rows(f"labels ({kind})", rows, self.labels.rows, sequences))
        return result


@dataclass(frozen=True)
class LabelMedium(Medium):
    """The labels of the objects of a split."""

    name = "labels"
    section = "labels"
    needs_masks = False
    needs_lexicon = False

    def plan(
        self, split: Split, sequences: Sequence[VideoSequence], inputs: NoiseInputs
    ) -> LabelMediumPlan:
        """Draw the labels, in memory."""
        is_activity = self.noise.kind == ACTIVITY
        if is_activity:
            _refuse_without_actions(split)
        elif not (split.read_categories() or is_without_effect(self.noise)):
            raise _refuse_class(split, self.recipe)
        draws = iterate_draws if is_activity else iterate_class_draws
        make_plan = plan_activity if is_activity else plan_class_noise
        seed, threshold = self.recipe.seed, None
        if self.noise.exact and not is_without_effect(self.noise):
            threshold = (inputs.thresholds or {}).get(LABEL_THRESHOLDS[self.noise.kind])
            if threshold is None:
                every = draws(split.sequences, seed, self.noise)
                threshold = find_exact_threshold(every, self.noise.rate)
        labels = make_plan(sequences, seed, self.noise, threshold)
        return LabelMediumPlan(self.recipe, self.noise, labels)

    def find_inconsistencies(self, split: Split, documents: SplitDocuments) -> Iterator[str]:
        """Compare summary, ledger and lists with each other."""
        if self.noise.kind == ACTIVITY:
            yield from find_activity_inconsistencies(split, self.noise, documents)
        else:
            yield from find_class_inconsistencies(split, self.noise, documents)
        if self.recipe.activity_noise is None:
            yield from find_activity_traces(split, documents)
        if self.recipe.class_noise is None:
            yield from find_class_traces(split, documents)

    @classmethod
    def find_traces(cls, split: Split, documents: SplitDocuments) -> Iterator[str]:
        """Find noisy labels in the lists, and ledger rows for labels."""
        yield from find_activity_traces(split, documents)
        yield from find_class_traces(split, documents)

    def list_versions(self) -> dict[str, str]:
        """List the version of Python."""
        return list_versions(masks=False, language=False)


def _refuse_without_actions(split: Split) -> None:
    """Refuse noise in the labels of active objects of a dataset without such labels."""
    if not split.has_action_lists:
        raise refuse(
            "noise of kind 'activity' changes which objects are active, and the dataset has no "
            "action lists, which say so",
            split.root,
            "give an ActionVOS root, or choose other noise",
        )


def _refuse_class(split: Split, recipe: Recipe) -> InputError:
    """Refuse noise in categories of a dataset without categories."""
    hints = ["give a dataset with categories, such as COCO or YouTube-VOS with its meta.json"]
    what = "the dataset has none"
    if split.has_action_lists:
        hints = ["for other names in the prompts, use the type category"]
        what = "an ActionVOS dataset has names instead"
    if len(recipe.noises) > 1:
        hints.append("for the other noise of the recipe, set `label_rate` to 0")
    return refuse(
        f"noise of kind 'class' changes the categories of a dataset, and {what}",
        split.root,
        "; ".join(hints),
    )
