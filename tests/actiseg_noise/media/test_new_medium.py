"""A new medium needs a class with the interface `Medium`, and a line in each table."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

import pytest

from actiseg_data.records import recipe_record
from actiseg_noise import corrupt, load_recipe, make_recipe, verify
from actiseg_noise.media import registry
from actiseg_noise.media.medium import Medium, MediumPlan, SectionBuilder
from actiseg_noise.media.summary_sections import describe_noise
from actiseg_noise.recipes import kind_specs
from actiseg_noise.recipes.kind_parameters import Parameter
from actiseg_noise.recipes.kind_specs import KindSpec, MediumSpec
from tests.helpers.kitchens import make_kitchen


class SoundSection(SectionBuilder):
    """Counts sequences; a toy that changes no file."""

    def __init__(self, noise):
        self.noise, self.items = noise, 0

    def add(self, record):
        self.items += 1

    def build_members(self):
        return {"sound": describe_noise(self.noise, 0, self.items)}

    def count_handled(self):
        return {"mute": self.items}


class SoundPlan(MediumPlan):
    def start_section(self):
        return SoundSection(self.noise)

    def forecast(self, split, sequences, workers=1, progress=None):
        return f"sound: 0 of {len(sequences)} sequences would hum"


class SoundMedium(Medium):
    name, section = "sound", "sound"
    needs_masks = needs_lexicon = False
    checked: ClassVar[Counter[str]] = Counter()

    def plan(self, split, sequences, inputs):
        return SoundPlan(self.recipe, self.noise)

    def find_inconsistencies(self, split, documents):
        self.checked[self.noise.kind] += 1
        yield from ()

    @classmethod
    def find_traces(cls, split, documents):
        yield from ()

    def list_versions(self):
        return {"sound": "1"}


@pytest.fixture
def sound(monkeypatch):
    monkeypatch.setitem(recipe_record.MEDIUM_MEMBERS, "sound", "channel")
    spec = MediumSpec(("left", "right"), "all", "sound_rate")
    monkeypatch.setitem(kind_specs.MEDIUM_SPECS, "sound", spec)
    volume = {"volume": Parameter(1.0, lambda value: value > 0, "a number above 0")}
    monkeypatch.setitem(kind_specs.KIND_SPECS, "hum", KindSpec(1, volume, "hums", medium="sound"))
    monkeypatch.setitem(kind_specs.MIXED, "noisy", ("text", "hum"))
    monkeypatch.setitem(registry.MEDIA, "sound", SoundMedium)


@pytest.mark.usefixtures("sound")
def test_its_noise_is_written_and_verified(tmp_path):
    root = make_kitchen(tmp_path / "clean", 2)
    made = corrupt(
        root, "noisy", text_rate=0.5, sound_rate=0.4, channel="right", out=tmp_path / "n"
    )
    recipe = load_recipe(made.out / "recipe.json")
    assert recipe.noises[1].to_dict() == {
        "kind": "hum",
        "algorithm": 1,
        "rate": 0.4,
        "exact": False,
        "objects": "all",
        "channel": "right",
        "parameters": {"volume": 1.0},
    }
    assert made.summary["sound"]["kind"] == "hum"
    assert made.summary["handled"]["mute"] == len(made.summary["sequences"])
    assert made.summary["versions"]["sound"] == "1"
    assert "hum=0 of" in repr(made)
    SoundMedium.checked.clear()
    assert verify(made.out, source=root).ok
    assert SoundMedium.checked == {"hum": 1}


@pytest.mark.usefixtures("sound")
def test_its_settings_are_for_its_noise_only():
    assert make_recipe("hum", 0.4, channel="right").noises[0].choice == "right"
    for settings, text in (({"scope": "both"}, "no noise of text"), ({"channel": "up"}, "left")):
        with pytest.raises(ValueError, match=text):
            make_recipe("hum", 0.4, **settings)
