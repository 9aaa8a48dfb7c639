"""Audit of any noisy split: measure it, and compare it with its recipe and its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.annotations.lexicon import Lexicon, load_lexicon
from actiseg_data.core.errors import InputError, refuse
from actiseg_data.core.files import PathLike, as_path
from actiseg_data.core.plurals import count_nouns
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.layouts.recognition import recognise_dataset
from actiseg_data.records.recipe_record import RECIPE_FILE, Recipe
from actiseg_noise.measurement.activity_audit import audit_activity
from actiseg_noise.measurement.activity_changes import ActivityStatistics
from actiseg_noise.measurement.audit_claims import NameClaim, parse_claims
from actiseg_noise.measurement.audit_findings import (
    Evidence,
    compare_with_name,
    compare_with_recipe,
)
from actiseg_noise.measurement.audit_input import AuditInput, open_audit_input
from actiseg_noise.measurement.category_audit import audit_categories
from actiseg_noise.measurement.category_changes import CategoryStatistics
from actiseg_noise.measurement.findings import Finding
from actiseg_noise.measurement.mask_audit import MaskAudit, audit_masks, read_ledger_shares
from actiseg_noise.measurement.proportions import Proportion
from actiseg_noise.measurement.text_audit import audit_text
from actiseg_noise.measurement.text_changes import TextStatistics
from actiseg_noise.recipes.building import check_recipe
from actiseg_noise.split.noisy_split import as_lexicon, read_carried_lexicon
from actiseg_noise.split.text_items import NoisyList

AUDIT_SCHEMA = "actiseg/audit/1"


@dataclass(frozen=True, repr=False)
class Audit:
    """The measured noise of a split, and what does not match. In a notebook, it is shown as tables.

    Attributes
    ----------
    noisy : Path
        The noisy dataset or folder.
    split : str or None
        Name of the list.
    clean : str
        What the split was compared with: ``*_org keys``, ``clean copies``, a folder, or, where no
        clean masks are known, its ledger.
    recipe : Recipe or None
        The recipe of the split, if it has one.
    claims : tuple of NameClaim
        What the name of the folder claims.
    text : TextStatistics or None
        None if there is no noisy text.
    narrations : Proportion or None
        Changed narrations, of those with a known clean narration.
    masks : MaskAudit or None
        None if there are no noisy masks.
    activity : ActivityStatistics or None
        The labels of active objects; None if no clean labels are known, or if none could differ.
    categories : CategoryStatistics or None
        The categories of objects; None if no clean ones are known, or if none could differ.
    agreements, findings : tuple of str
        Comparisons with the recipe and the name that agree, and those that do not.
    left_out : mapping of str to str
        What could not be measured, and why.
    """

    noisy: Path
    split: str | None
    clean: str
    recipe: Recipe | None
    claims: tuple[NameClaim, ...]
    text: TextStatistics | None
    narrations: Proportion | None
    masks: MaskAudit | None
    activity: ActivityStatistics | None
    categories: CategoryStatistics | None
    agreements: tuple[str, ...]
    findings: tuple[str, ...]
    left_out: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """Whether the split matches its recipe and its name."""
        return not self.findings

    def __repr__(self) -> str:
        return (
            f"<Audit of {self.noisy.name!r}, split {self.split!r}: "
            f"{len(self.agreements)} matches, {len(self.findings)} mismatches>"
        )

    def _repr_html_(self) -> str:
        from actiseg_data.core.tables import render_report_html
        from actiseg_noise.measurement.audit_report import describe_audit

        return render_report_html(describe_audit(self))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document, of schema `AUDIT_SCHEMA`."""
        return {
            "schema": AUDIT_SCHEMA,
            "noisy": self.noisy.name,
            "split": self.split,
            "clean": self.clean,
            "recipe": None if self.recipe is None else self.recipe.to_dict(),
            "claims": [vars(claim) for claim in self.claims],
            "text": None if self.text is None else self.text.to_dict(),
            "narrations": None if self.narrations is None else self.narrations.to_dict(),
            "masks": None if self.masks is None else self.masks.to_dict(),
            "activity": None if self.activity is None else self.activity.to_dict(),
            "categories": None if self.categories is None else self.categories.to_dict(),
            "agreements": list(self.agreements),
            "findings": list(self.findings),
            "left_out": dict(self.left_out),
        }


def audit(
    noisy: PathLike,
    clean: PathLike | None = None,
    split: str | None = None,
    *,
    lexicon: Lexicon | PathLike | None = None,
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> Audit:
    """Measure any noisy split, and compare it with its recipe and its name.

    Parameters
    ----------
    noisy : str or Path
        A dataset with noisy lists or masks, or a folder of noisy lists or masks alone, as
        ActiSeg-NL publishes them.
    clean : str or Path, optional
        The clean dataset; for masks alone, also a folder ``<sequence>/<frame>.png``. Default: clean
        text comes from the ``*_org`` keys, and clean masks from the source of a split that this
        toolkit made, or from clean copies next to the noisy masks.
    split : str, optional
        Name of the list. Default: that of the recipe, or the only one.
    lexicon : Lexicon, str or Path, optional
        For classes, names and similarities. Default: the lexicon in the split, or else the
        installed one.
    workers : int
        Number of processes. The result does not depend on it.
    stage : StageProgress
        Shows progress.

    Returns
    -------
    Audit

    Raises
    ------
    InputError
        If there is nothing to audit, or nothing to compare it with.

    Examples
    --------
    ::

        audit("ImageSets_noise20_classid_prompt").findings
    """
    noisy = as_path(noisy)
    own_lexicon = read_carried_lexicon(noisy) or load_lexicon()
    task = open_audit_input(
        noisy,
        None if clean is None else as_path(clean),
        split,
        as_lexicon(lexicon) or own_lexicon,
        workers,
        stage,
    )
    text, masks, activity = audit_text(task), audit_masks(task), audit_activity(task)
    categories = audit_categories(task)
    left_out = {**text.left_out, **masks.left_out}
    ledger = read_ledger_shares(task) if masks.value is None else {}
    results = (text, masks, activity, categories)
    if all(result.value is None for result in results) and not ledger:
        raise _refuse_unmeasurable(noisy, left_out)
    evidence = Evidence(
        text.value, masks.value, task.action_list, ledger, activity.value, categories.value
    )
    claims = parse_claims(noisy)
    findings = _compare(task, evidence, claims, own_lexicon)
    sources = [result.compared_with for result in results]
    sources += ["its ledger, for masks"] if ledger else []
    return Audit(
        noisy=noisy,
        split=task.split,
        clean=", ".join(dict.fromkeys(source for source in sources if source is not None)),
        recipe=task.recipe,
        claims=claims,
        text=evidence.statistics,
        narrations=_count_narrations(task.action_list),
        masks=masks.value,
        activity=None if activity.value is None else activity.value.statistics,
        categories=None if categories.value is None else categories.value.statistics,
        agreements=tuple(finding.text for finding in findings if finding.agrees),
        findings=tuple(finding.text for finding in findings if not finding.agrees),
        left_out=left_out,
    )


def _compare(
    task: AuditInput, evidence: Evidence, claims: tuple[NameClaim, ...], lexicon: Lexicon
) -> list[Finding]:
    findings: list[Finding] = []
    if task.recipe is not None:
        try:
            recipe = check_recipe(task.recipe, RECIPE_FILE)
            findings += compare_with_recipe(recipe, evidence, lexicon)
        except InputError as error:
            reason = error.problems[0].what
            text = f"it could not be compared with its {RECIPE_FILE}: {reason}"
            findings = [Finding(False, text)]
    findings += compare_with_name(claims, task.recipe, evidence)
    statistics = evidence.statistics
    if statistics is not None and statistics.misnamed:
        text = (
            f"{count_nouns(statistics.misnamed, 'prompt does', 'prompts do')} not begin with the "
            "object's name"
        )
        findings.append(Finding(False, text))
    return findings


def _refuse_unmeasurable(noisy: Path, left_out: Mapping[str, str]) -> InputError:
    """Build the error for a folder without measurable text and masks."""
    kind = recognise_dataset(noisy) if "masks" not in left_out else None
    if kind is None and "masks" in left_out and "text" not in left_out:
        return refuse(
            f"has noisy masks, but {left_out['masks']}",
            noisy,
            "give the clean dataset as `clean`, or a folder of clean masks to audit only masks",
        )
    reasons = (
        left_out.get(medium, f"has no noisy {medium} of a split") for medium in ("text", "masks")
    )
    return refuse(
        "; ".join(reasons) if kind is None else f"is {kind}",
        noisy,
        "give a folder with *_objects_category.json and prompts, or with masks in train/ or val/, "
        "and the clean dataset as `clean` if the files do not have the clean text",
    )


def _count_narrations(action_list: NoisyList | None) -> Proportion | None:
    """Count changed narrations, of those with a known clean narration."""
    if action_list is None or not action_list.narrations:
        return None
    return Proportion(len(action_list.narrations), len(action_list.changed))
