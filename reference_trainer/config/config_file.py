"""Read and write the configuration file, and override its values with ``key=value`` settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from actiseg_data.core.errors import refuse
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.core.files import write_bytes
from reference_trainer.config.config_building import make_config
from reference_trainer.config.old_names import OLD_NAMES, translate_old_names
from reference_trainer.config.run_config import Config

CONFIG_FILE = "config.yaml"


def read_config(path: Path) -> Config:
    """Read a configuration from a YAML file; see `make_config` for its errors."""
    return make_config(read_values(path), str(path))


def read_values(path: Path) -> dict[str, Any]:
    """Read the settings in a YAML file, which may be incomplete.

    Raises
    ------
    InputError
        If the file is not a YAML mapping.
    """
    return parse_values(read_bytes(path, "configuration"), path)


def parse_values(text: str | bytes, path: Path) -> dict[str, Any]:
    """Parse a YAML document with settings. `path` is for error messages."""
    import yaml

    try:
        document = yaml.safe_load(text if isinstance(text, str) else text.decode())
    except (
        yaml.YAMLError,
        ValueError,
        RecursionError,
    ) as error:  # ValueError: a date such as 2001-99-99
        reason = str(error).splitlines()[0]
        raise refuse(f"is not YAML ({reason})", path, "correct the file") from None
    if not isinstance(document, dict) or not all(isinstance(name, str) for name in document):
        raise refuse("does not contain named settings", path, "write lines such as 'epochs: 20'")
    return document


def write_config(path: Path, config: Config) -> None:
    """Write a configuration as YAML."""
    write_bytes(path, config.to_yaml().encode())


def apply_settings(values: Mapping[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """Override values with ``key=value`` settings, which are parsed as YAML.

    ``options.key=value`` sets an option of the strategy. Old names are accepted, see `OLD_NAMES`.

    Examples
    --------
    >>> apply_settings({"epochs": 3}, ["epochs=5", "options.q=0.5"])
    {'epochs': 5, 'options': {'q': 0.5}}
    """
    import yaml

    values, _ = translate_old_names(values, "`config`")
    changed = {**values, "options": _check_options(values.get("options"), "`config`")}
    for setting in settings:
        name, sign, text = setting.partition("=")
        if not sign:
            raise refuse(f"{setting!r} has no '='", "`settings`", "give key=value")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            hint = "give a number or a word"
            raise refuse(f"{text!r} is not a value", "`settings`", hint) from None
        if name == "options":
            changed["options"] = _check_options(value, "`settings`")
        elif name.startswith("options."):
            changed["options"][name.removeprefix("options.")] = value
        else:
            changed[OLD_NAMES.get(name, name)] = value
    return changed


def _check_options(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refuse(f"options is {value!r}", where, "give values by name: options.KEY=VALUE")
    return dict(value)
