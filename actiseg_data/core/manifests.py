"""The documents that are installed with the packages, in `data_manifests`."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from actiseg_data.core.documents import (
    Cursor,
    check_schema,
    parse_json,
)
from actiseg_data.core.errors import refuse

PACKAGE = "data_manifests"
"""The package that has the documents."""


def find_installed(name: str) -> Path:
    """Return the path of an installed document; if it is missing, raise an `InputError`.

    >>> find_installed("lexicon/senses.csv").name
    'senses.csv'
    """
    file = Path(str(resources.files(PACKAGE)), *name.split("/"))
    if not file.is_file():
        raise refuse("the installed document is missing", file.name, "reinstall actiseg")
    return file


def load_installed(name: str, schema: str) -> Cursor:
    """Load an installed JSON document.

    Parameters
    ----------
    name : str
        The file in `data_manifests`, such as ``protocols.json`` or ``presets/actiseg.json``.
    schema : str
        The schema that the document must have.

    Returns
    -------
    Cursor
        The whole document.

    Raises
    ------
    InputError
        If the document is missing, damaged, or of another schema.

    Examples
    --------
    >>> load_installed("recipes.json", "actiseg/recipes/1")["schema"].as_text()
    'actiseg/recipes/1'
    """
    file = find_installed(name)
    document = Cursor(parse_json(file.read_bytes(), file.name), file.name)
    check_schema(document, schema)
    return document


def list_installed(folder: str) -> list[str]:
    """List the JSON documents in a folder of `data_manifests`, sorted, by their names there.

    >>> "presets/actiseg.json" in list_installed("presets")
    True
    """
    files = (resources.files(PACKAGE) / folder).iterdir()
    return sorted(f"{folder}/{file.name}" for file in files if file.name.endswith(".json"))
