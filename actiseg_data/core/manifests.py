"""The JSON documents that are installed with the packages, in `data_manifests`."""

from __future__ import annotations

from importlib import resources

from actiseg_data.core.documents import (
    Cursor,
    check_schema,
    parse_json,
)
from actiseg_data.core.errors import refuse

PACKAGE = "data_manifests"
"""The package that has the documents."""


def load_installed(name: str, schema: str) -> Cursor:
    """Load an installed document.

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
    >>> load_installed("golden.json", "actiseg/golden/1")["schema"].as_text()
    'actiseg/golden/1'
    """
    file = resources.files(PACKAGE).joinpath(*name.split("/"))
    if not file.is_file():
        raise refuse("the installed document is missing", file.name, "reinstall actiseg")
    document = Cursor(parse_json(file.read_bytes(), file.name), file.name)
    check_schema(document, schema)
    return document


def list_installed(folder: str) -> list[str]:
    """List the documents in a folder of `data_manifests`, sorted, as `load_installed` names them.

    >>> "presets/actiseg.json" in list_installed("presets")
    True
    """
    files = (resources.files(PACKAGE) / folder).iterdir()
    return sorted(f"{folder}/{file.name}" for file in files if file.name.endswith(".json"))
