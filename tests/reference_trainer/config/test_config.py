"""The configuration: a dataclass, a YAML file, and names of earlier releases."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is in the extra [train]")

from actiseg_data.core.errors import InputError
from reference_trainer.config.config_building import make_config
from reference_trainer.config.config_file import apply_settings, read_config, read_values
from reference_trainer.config.run_config import Config


@settings(max_examples=30, deadline=None)
@given(
    st.fixed_dictionaries(
        {"dataset": st.text("äb:#'\"\n -", min_size=1)},
        optional={
            "noisy": st.none() | st.text("c: ", min_size=1),
            "epochs": st.integers(1, 9),
            "learning_rate": st.floats(1e-9, 1e3),
            "augment": st.booleans(),
            "options": st.dictionaries(
                st.sampled_from(["mask", "dice"]), st.floats(0, 1) | st.integers(0, 9)
            ),
        },
    )
)
def test_a_configuration_survives_yaml(tmp_path_factory, values):
    config = make_config(values, "test")
    file = tmp_path_factory.mktemp("config") / "config.yaml"
    file.write_text(config.to_yaml(), encoding="utf-8")
    assert make_config(read_values(file), "test") == config


def test_settings_are_read_as_yaml_reads_them():
    found = apply_settings(
        {"options": {"q": 1}}, ["learning_rate=1e-3", "augment=false", "options.k=2"]
    )
    assert make_config({"dataset": "d", **found, "options": {}}, "test").learning_rate == 1e-3
    assert found["augment"] is False
    assert found["options"] == {"q": 1, "k": 2}


def test_all_faults_of_a_configuration_are_told_at_once(tmp_path):
    with pytest.raises(InputError) as refused:
        make_config({"epochs": "x", "augment": 1, "speed": 3, "options": [1]}, "file")
    assert len(refused.value.problems) == 5
    file = tmp_path / "config.yaml"
    file.write_text("options: 3")
    with pytest.raises(InputError, match="options is 3"):
        apply_settings(read_values(file), [])
    for text in (
        "- 1\n",
        "a: [",
        "a: 2001-99-99\n",
        "!!python/object/apply:os.mkdir [x]\n",
        "\xff",
    ):
        file.write_bytes(text.encode("latin-1"))
        with pytest.raises(InputError):
            read_values(file)


def test_old_names_give_the_same_configuration(tmp_path, capsys):
    old = {"dataset": "d", "strategy": "elr", "rate": 0.1, "clip_norm": 2.0, "clips": 3}
    old |= {"frames": 4, "prompts": 5, "options": {"scale": "undecided"}}
    new = {"dataset": "d", "strategy": "elr", "learning_rate": 0.1, "grad_clip_norm": 2.0}
    new |= {"batch_size": 3, "max_frames": 4, "max_prompts": 5}
    expected = make_config(new | {"options": {"scale": "match-focal"}}, "test")
    assert make_config(old, "test") == expected
    settings = [f"{name}={value}" for name, value in old.items() if name != "options"]
    values = apply_settings({}, [*settings, "options.scale=undecided"])
    assert make_config(values, "test") == expected
    file = tmp_path / "config.yaml"
    file.write_text("dataset: d\nrate: 0.1\n")
    assert read_config(file).learning_rate == 0.1
    assert capsys.readouterr() == ("", ""), "the command line prints a note, the library does not"


def test_a_setting_with_its_old_and_its_new_name_is_an_error():
    with pytest.raises(InputError, match="has both 'rate' and 'learning_rate'"):
        make_config({"dataset": "d", "rate": 0.1, "learning_rate": 0.2}, "test")


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ({}, "run.yaml: epochs 0 is out of range"),
        ({"epochs": "`epochs`"}, "epochs: 0 is out of range"),
        ({"epochs": "`settings`"}, "settings: epochs 0 is out of range"),
    ],
)
def test_a_problem_names_the_source_of_the_setting(places, expected):
    with pytest.raises(InputError, match=f"^{expected}. Hint: give 1 or more$"):
        make_config({"dataset": "d", "epochs": 0}, "run.yaml", places)


def test_a_problem_of_python_names_the_parameter():
    with pytest.raises(InputError) as refused:
        Config("d", epochs=0, learning_rate=-1.0)
    assert [problem.where for problem in refused.value.problems] == ["`epochs`", "`learning_rate`"]


def test_unknown_names_are_refused_with_the_nearest():
    for values, says in (
        ({"encoder": "tinny"}, "encoder 'tinny' is unknown; did you mean 'tiny'?"),
        ({"strategy": "gec"}, "strategy 'gec' is unknown; did you mean 'gce'?"),
        ({"epoch": 3}, "there is no setting 'epoch'; did you mean 'epochs'?"),
    ):
        with pytest.raises(InputError) as refused:
            make_config({"dataset": "d", **values}, "run.yaml")
        (problem,) = refused.value.problems
        assert (problem.where, problem.what) == ("run.yaml", says)


def test_paths_may_be_of_either_type():
    config = Config(Path("d"), noisy=Path("n"))
    assert config == Config("d", noisy="n")
    assert "dataset: d\n" in config.to_yaml()
