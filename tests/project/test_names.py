"""The naming rules of CONTRIBUTING, held over the syntax trees of the packages."""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT

PACKAGES = ("actiseg_data", "actiseg_noise", "actiseg_eval", "reference_trainer")
VERBS = frozenset((Path(__file__).with_name("verbs.txt")).read_text().split())
PREFIXES = frozenset(("is", "are", "has", "can", "may", "needs", "as", "to", "from"))
NOUNS = {  # mathematical functions, and names that PyTorch, Python or the field prescribe
    "actiseg_data": "wilson_interval frames mask new_folder",
    "actiseg_noise": "",
    "actiseg_eval": (
        "boundary_f boundary_iou decay generalised_iou intraclass_correlation late_mean "
        "recall region_iou robustness"
    ),
    "reference_trainer": "bench option parameters requires_grad eval",
}
FORMULAS = frozenset(
    Path("reference_trainer", *parts)
    for parts in (("strategies", "losses.py"), ("losses", "region_losses.py"))
)
"""Each function here has the name of its loss."""
EXEMPT = frozenset(("main", "repr_html"))
FUNCTION_WORDS = frozenset(
    (
        *(
            "of",
            "at",
            "by",
            "with",
            "without",
            "for",
            "each",
            "such",
            "so",
            "too",
            "again",
            "apart",
        ),
        *("told", "found", "one", "other", "others", "some", "here", "there"),
        *("whose", "that", "this", "it", "its", "they", "them"),
    )
)
SHARED_STEMS = frozenset(("__init__", "__main__", "app"))


@cache
def trees(package: str) -> list[tuple[Path, ast.Module]]:
    paths = sorted((ROOT / package).rglob("*.py"))
    return [(path.relative_to(ROOT), ast.parse(path.read_text())) for path in paths]


def is_exempt(function: ast.FunctionDef) -> bool:
    """Properties are nouns, and a command has the name that the user types."""
    decorators = " ".join(ast.unparse(decorator) for decorator in function.decorator_list)
    return "property" in decorators or ".command" in decorators or ".setter" in decorators


@pytest.mark.parametrize("package", PACKAGES)
def test_functions_begin_with_a_verb(package):
    wrong = []
    for path, tree in trees(package):
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef) or is_exempt(node) or path in FORMULAS:
                continue
            name = node.name.strip("_")
            if node.name.startswith("__") or name in NOUNS[package].split() or name in EXEMPT:
                continue
            if name.split("_")[0] not in VERBS | PREFIXES:
                wrong.append(f"{path}:{node.lineno} {node.name}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_identifier_is_a_function_word(package):
    wrong = []
    for path, tree in trees(package):
        for node in ast.walk(tree):
            names = (getattr(node, field, None) for field in ("id", "arg", "attr", "name"))
            wrong += [
                f"{path}:{getattr(node, 'lineno', 0)} {name}"
                for name in names
                if isinstance(name, str) and name.strip("_") in FUNCTION_WORDS
            ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", PACKAGES)
def test_classes_are_nouns(package):
    wrong = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in trees(package)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.name.endswith(("ed", "Held", "Seen", "Drawn"))
    ]
    assert not wrong, "\n".join(wrong)


def test_no_module_or_class_name_has_two_meanings():
    modules = Counter(path.stem for package in PACKAGES for path, _ in trees(package))
    classes = Counter(
        node.name
        for package in PACKAGES
        for _, tree in trees(package)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in modules.items() if count > 1 and name not in SHARED_STEMS] == []
    assert [name for name, count in classes.items() if count > 1] == []
