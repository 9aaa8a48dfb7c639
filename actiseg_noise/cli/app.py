"""The application: all commands of `actiseg-noise`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import typer

from actiseg_data.terminal.command_line import Version
from actiseg_noise.cli import (
    audit_command,
    corrupt_command,
    diff_command,
    import_command,
    inspect_command,
    lexicon_command,
    manifests_command,
    prepare_action_command,
    prepare_command,
    presets_command,
    preview_command,
    publish_command,
    rebuild_command,
    render_command,
    sample_command,
    types_command,
    verify_command,
)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def _start(version: Version = False) -> None:
    """Make and check noisy copies of ActionVOS and other datasets, identical on every machine."""


_COMMANDS: Mapping[str, Callable[..., None]] = {
    "corrupt": corrupt_command.corrupt,
    "verify": verify_command.verify,
    "rebuild": rebuild_command.rebuild,
    "inspect": inspect_command.inspect,
    "preview": preview_command.preview,
    "audit": audit_command.audit,
    "publish": publish_command.publish,
    "diff": diff_command.compare,
    "import": import_command.import_noisy,
    "types": types_command.list_types,
    "presets": presets_command.list_presets,
    "sample": sample_command.sample,
    "render": render_command.render,
}
for _name, _command in _COMMANDS.items():
    app.command(_name)(_command)


def _add_group(name: str, text: str, commands: Mapping[str, Callable[..., None]]) -> None:
    group = typer.Typer(help=text, no_args_is_help=True)
    group.callback()(lambda: None)  # keeps the name of a group's only command
    for command_name, command in commands.items():
        group.command(command_name)(command)
    app.add_typer(group, name=name)


_add_group(
    "prepare",
    "Build an ActionVOS dataset from VISOR, VOST or VSCOS, or from a folder of masks.",
    {
        "visor": prepare_command.prepare_split,
        "vost": prepare_action_command.prepare_vost_split,
        "vscos": prepare_action_command.prepare_vscos_split,
        "masks": prepare_command.prepare_folder,
    },
)
_add_group(
    "manifests",
    "Check the published recipes and their golden digests, derive them, or write their pages.",
    {
        "check": manifests_command.check,
        "derive": manifests_command.derive,
        "pages": manifests_command.write_pages,
    },
)
_add_group(
    "lexicon",
    "Build a lexicon of object names, or look up names in one.",
    {
        "build": lexicon_command.build,
        "show": lexicon_command.show,
        "coverage": lexicon_command.measure_coverage,
    },
)
