from __future__ import annotations

import pytest

from actiseg_data.core.errors import InputError
from actiseg_data.core.manifests import find_installed, list_installed, load_installed


def test_every_installed_document_has_a_schema():
    for name in ("recipes.json", "metrics.json", "protocols.json", "lexicon/epic-100.json"):
        with pytest.raises(InputError, match="this release reads 'another'"):
            load_installed(name, "another")


def test_an_absent_document_is_an_error():
    with pytest.raises(InputError, match=r"absent.json: the installed document is missing"):
        load_installed("presets/absent.json", "actiseg/presets/1")
    with pytest.raises(InputError, match=r"absent.csv: the installed document is missing"):
        find_installed("lexicon/absent.csv")
    assert "presets/absent.json" not in list_installed("presets")
