"""Noisy splits of the sample, and what their maintainers say about them."""

import pytest

from actiseg_noise import corrupt, make_recipe

AUTHORS = ("Josiah Carberry (0000-0002-1825-0097)", "Ada & _Lace")
TITLE = 'Noisy | cups: "50 %" <b>& {more}</b> --- 😀'


@pytest.fixture(scope="package")
def outs(sample, tmp_path_factory):
    """Two noisy splits of the sample's human list."""
    folder = tmp_path_factory.mktemp("noisy")
    for kind, rate in (("mixed", 0.4), ("text", 0.2)):
        corrupt(sample, make_recipe(kind, rate, split="val_human"), out=folder / kind)
    return [folder / "mixed", folder / "text"]
