"""Find files and folders under the spellings that other systems give their names.

Windows forbids colons, macOS and network drives replace other characters and decompose accented
letters, cameras write ``.PNG``, and scripts keep an ending before they add another.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote

from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.listing import list_folder
from actiseg_data.core.names import format_name

_COLONS = str.maketrans(dict.fromkeys("\uf03a\uff1a\ua789", ":"))
"""What Samba and macOS, rclone and Windows users write instead of a colon."""

_PLAIN = re.compile(r"[A-Za-z0-9_-]*")
"""Names that every system keeps unchanged."""

_ENDING = re.compile(r"\.(?:png|jpe?g)$", re.IGNORECASE)
_ENDINGS = re.compile(r"(?:\.(?:png|jpe?g))+$", re.IGNORECASE)

_Fold: TypeAlias = Callable[[str], str]


@dataclass(frozen=True)
class Clash:
    """Names that fit several others.

    Attributes
    ----------
    wanted, present : tuple of str
        The names that are looked for, and the existing ones.
    """

    wanted: tuple[str, ...]
    present: tuple[str, ...]


@dataclass(frozen=True)
class Matches:
    """The spellings of names in a folder.

    Attributes
    ----------
    names : dict of str to str
        The spelling of each wanted name that exists.
    clashes : tuple of Clash
        The ambiguous names.
    """

    names: dict[str, str]
    clashes: tuple[Clash, ...] = ()

    @property
    def respelled(self) -> int:
        """The number of names that exist under another spelling."""
        return sum(name != spelling for name, spelling in self.names.items())

    def add_clashes(self, where: Path | str, problems: ProblemCollector) -> None:
        """Add a problem for each clash."""
        for clash in self.clashes:
            held, meant = (
                ", ".join(map(format_name, part)) for part in (clash.present, clash.wanted)
            )
            problems.add(
                f"contains {held}, and it is not clear which is {meant}",
                where,
                "keep one of them, with this spelling",
            )


def match_names(wanted: Iterable[str], present: Set[str]) -> Matches:
    """Match names to the existing ones, exactly or under another spelling.

    Another spelling is accepted only if exactly one name fits exactly one: escaped or replaced
    colons, composed or decomposed accented letters, an ending in capitals, several image endings.

    >>> match_names(["take_cup:big"], {"take_cup%3Abig", "open_door"}).names
    {'take_cup:big': 'take_cup%3Abig'}
    >>> match_names(["0.png"], {"0.PNG", "0.jpg.png"}).names
    {'0.png': '0.PNG'}
    >>> match_names(["0.png"], {"0.PNG", "0.Png"}).clashes
    (Clash(wanted=('0.png',), present=('0.PNG', '0.Png')),)
    """
    return _match(wanted, present, (_decode, _simplify))


def _match(wanted: Iterable[str], present: Set[str], folds: Iterable[_Fold]) -> Matches:
    wanted = list(wanted)
    names = {name: name for name in wanted if name in present}
    lacking = [name for name in wanted if name not in names]
    spare = sorted(present - names.keys()) if lacking else []
    clashes = []
    for fold in folds:
        left, right = _group_names(lacking, fold), _group_names(spare, fold)
        for text in [text for text in left if text in right]:
            if len(left[text]) == len(right[text]) == 1:
                names[left[text][0]] = right[text][0]
            else:
                clashes.append(Clash(tuple(left[text]), tuple(right[text])))
        lacking = [name for name in lacking if fold(name) not in right]
        spare = [name for name in spare if fold(name) not in left]
    return Matches(names, tuple(sorted(clashes, key=lambda clash: clash.wanted)))


def _group_names(names: Iterable[str], fold: _Fold) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(fold(name), []).append(name)
    return groups


def _decode(name: str) -> str:
    """Undo all escapes of other systems; no two names of a dataset become equal."""
    text = unicodedata.normalize("NFC", unquote(name).translate(_COLONS))
    return _ENDING.sub(lambda ending: ending[0].lower(), text)


def _simplify(name: str) -> str:
    """Remove what some systems lose: colons and image endings."""
    return _ENDINGS.sub("", _decode(name)).replace(":", "_")


def find_path(folder: Path, name: str) -> Path:
    """Find the path of one name in a folder; see `find_paths`."""
    return find_paths(folder, [name])[0]


def find_paths(folder: Path, names: Iterable[str]) -> list[Path]:
    """Find the paths of names in a folder, in their order, each with its spelling on disk.

    Only spellings that no other name can have are accepted, because the other names are unknown. A
    missing name keeps its spelling. The folder is listed at most once.
    """
    paths = [folder / name for name in names]
    respelled = (path for path in paths if not _PLAIN.fullmatch(path.name))
    lacking = [path.name for path in respelled if not os.path.lexists(path)]
    if not lacking or not folder.is_dir():
        return paths
    spellings = _match(lacking, {entry.name for entry in list_folder(folder)}, (_decode,)).names
    return [folder / spellings.get(path.name, path.name) for path in paths]
