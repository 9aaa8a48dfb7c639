"""The public names of the packages: those that users import."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module

import pytest

from tests.helpers.paths import ROOT

PACKAGES = ("actiseg_data", "actiseg_noise", "actiseg_eval", "reference_trainer")
CONTRACT = {  # names that every release has
    "actiseg_data": "open_split make_sample read_index_mask InputError",
    "actiseg_noise": "corrupt make_recipe load_recipe load_preset",
    "actiseg_eval": "score Scorer",
    "reference_trainer": "fit resume predict Config",
}


def find_typed_imports(package: str) -> set[str]:
    tree = ast.parse((ROOT / package / "__init__.py").read_text())
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    assert [ast.unparse(block.test) for block in blocks] == ["TYPE_CHECKING"]
    return {alias.asname for node in blocks[0].body for alias in node.names}


@pytest.mark.parametrize("package", PACKAGES)
def test_exported_names_resolve_and_are_typed(package):
    if package == "reference_trainer":
        pytest.importorskip("torch")
    module = import_module(package)
    assert module.__all__ == sorted(module.__all__)
    assert set(module.__all__) == find_typed_imports(package)
    for name in module.__all__:
        assert getattr(module, name).__name__ == name
        assert name in dir(module)
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        module.absent  # noqa: B018 - the access is the test


@pytest.mark.parametrize("package", PACKAGES)
def test_contract_names_are_exported(package):
    assert set(CONTRACT[package].split()) <= set(import_module(package).__all__)


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_loads_no_array_library(package):
    code = f"import sys, {package}; print({{'numpy', 'torch', 'cv2'}} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "set()"
