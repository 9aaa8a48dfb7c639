"""README and docs do what they print."""

from __future__ import annotations

import re
import shutil
from functools import partial

import numpy as np
import pytest

import actiseg_data
import actiseg_noise
import reference_trainer
from tests.helpers.pages import code_blocks
from tests.helpers.paths import ROOT
from tests.helpers.predicted import predict

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


@pytest.fixture(scope="module")
def folder(sample, tmp_path_factory):
    """A folder with everything that the examples name."""
    folder = tmp_path_factory.mktemp("examples")
    for root in ("actiseg_sample", "dataset_visor"):
        shutil.copytree(sample, folder / root)
    split = actiseg_data.open_split(folder / "dataset_visor", "val_human")
    levels = ("0", "0.2", "0.4")
    runs = [f"{method}_{level}" for method in ("plain", "gce") for level in levels]
    for name in ("preds", "preds_plain", "preds_gce", *runs):
        predict(split, "shift", folder / name)
    lines = [
        f"  {method}: {{{', '.join(f'{n}: {method}_{n}' for n in levels)}}}"
        for method in ("plain", "gce")
    ]
    (folder / "runs.yaml").write_text("\n".join(["methods:", *lines, ""]))
    return folder


def test_readme_is_read_in_two_minutes():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 130


def test_readme_begins_with_the_two_commands():
    first, second = code_blocks("README.md", "sh")[:2]
    assert first.endswith("actiseg-noise corrupt --type boundary --rate 0.4\n")
    assert second.endswith(".venv/bin/pytest\n")


def test_the_lines_of_readme_run(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    (block,) = code_blocks("README.md", "python")
    names: dict[str, object] = {}
    exec(compile(block, "README.md", "exec"), names)
    noisy, mask = names["noisy"], names["mask"]
    assert isinstance(noisy, np.ndarray)
    assert isinstance(mask, np.ndarray)
    assert (noisy.dtype, noisy.shape) == (mask.dtype, mask.shape)
    assert (noisy != mask).any()
    assert capsys.readouterr().out


def test_the_examples_of_the_python_page_run(folder, monkeypatch, tmp_path):
    pytest.importorskip("pandas", reason="a report becomes a data frame only if pandas is there")
    monkeypatch.chdir(folder)
    blocks = code_blocks("docs/python.md", "python")
    val_human = actiseg_data.open_split("dataset_visor", "val_human")
    names: dict[str, object] = {"predict": lambda sequence, frame: val_human.mask(sequence, frame)}
    for block in blocks[:-1]:
        exec(compile(block, "docs/python.md", "exec"), names)


@pytest.mark.slow
@pytest.mark.parametrize("page", ["python", "training"])
def test_the_examples_of_training_run(monkeypatch, tmp_path, page):
    """With a tiny model, on a few sequences under the names of the examples."""
    pytest.importorskip("torch", reason="PyTorch is in the extra [train]")
    from tests.helpers.trained import SMALL, painted_root

    monkeypatch.chdir(tmp_path)
    for name in ("dataset_visor", "actiseg_sample"):
        painted_root(tmp_path / name)
    noisy = "actiseg_sample_boundary_r0.4_s0"
    actiseg_noise.corrupt("actiseg_sample", "boundary", rate=0.4, out=noisy)
    tiny = {key: value for key, value in SMALL.items() if key != "epochs"}
    monkeypatch.setattr(reference_trainer, "Config", partial(reference_trainer.Config, **tiny))
    blocks = code_blocks(f"docs/{page}.md", "python")
    block = next(block for block in blocks if "fit(" in block and "predict(" in block)
    exec(compile(block, f"docs/{page}.md", "exec"), {})
    assert list((tmp_path / "preds").rglob("*.png"))


def test_every_link_between_pages_leads_somewhere():
    broken = []
    for page in PAGES:
        text = page.read_text()
        for target in re.findall(r"\]\(([^)#\s]+)?(#[^)\s]*)?\)", text):
            path, anchor = target
            if path.startswith("http"):
                continue
            leads_to = (page.parent / path).resolve() if path else page
            if not leads_to.exists():
                broken.append(f"{page.name}: {path}")
            elif anchor and leads_to.suffix == ".md":
                headings = re.findall(r"^#+ (.*)$", leads_to.read_text(), re.MULTILINE)
                slugs = {
                    re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings
                }
                if anchor[1:] not in slugs:
                    broken.append(f"{page.name}: {path}{anchor}")
    assert not broken, "\n".join(broken)


def test_commands_of_the_documentation_exist():
    """Every `actiseg-*` command in a page names a command and flags that exist."""
    from typer.main import get_command

    import actiseg_eval.cli.app
    import actiseg_noise.cli.app
    import reference_trainer.cli.app

    apps = {
        "actiseg-noise": get_command(actiseg_noise.cli.app.app),
        "actiseg-eval": get_command(actiseg_eval.cli.app.app),
        "actiseg-train": get_command(reference_trainer.cli.app.app),
    }
    wrong = []
    for page in PAGES:
        text = page.read_text().replace("\\\n", " ")
        spans = re.findall(r"`((?:actiseg-\w+) [^`]+)`", text.replace("\n", " "))
        spans += [
            line
            for block in code_blocks(str(page.relative_to(ROOT)), "sh")
            for line in block.replace("\\\n", " ").splitlines()
        ]
        for span in spans:
            match = re.search(r"(actiseg-(?:noise|eval|train)) (.*)", span)
            if not match:
                continue
            command = apps[match[1]]
            words = match[2].split()
            path = [match[1]]
            while words and hasattr(command, "commands") and words[0] in command.commands:
                command = command.commands[words[0]]
                path.append(words.pop(0))
            if hasattr(command, "commands"):
                wrong.append(f"{page.name}: {span}")
                continue
            known = {
                option
                for parameter in command.params
                for option in parameter.opts + parameter.secondary_opts
            }
            wrong += [
                f"{page.name}: {' '.join(path)} has no {word}"
                for word in words
                if word.startswith("--")
                and word.split("=")[0].rstrip(".,;:)") not in known | {"--help"}
            ]
    assert not wrong, "\n".join(wrong)
