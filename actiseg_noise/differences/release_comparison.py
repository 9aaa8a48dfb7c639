"""`compare_splits`: what changed between two noisy splits, releases or versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.core.arguments import check_selection
from actiseg_data.core.errors import ProblemCollector, check_known, refuse
from actiseg_data.core.files import PathLike, as_path
from actiseg_noise.differences.compared_sides import ComparedSide, find_sides, is_release
from actiseg_noise.differences.kit_comparison import KitDifference, compare_kits
from actiseg_noise.differences.split_comparison import SplitDifference, compare_snapshots

DIFFERENCE_SCHEMA = "actiseg/diff/1"


@dataclass(frozen=True)
class ReleaseDifference:
    """What differs between A and B, which are noisy splits or releases.

    Attributes
    ----------
    a, b : Path
        What was compared.
    only_a, only_b : tuple of str
        The configurations of releases that only one of them has.
    configurations : mapping of str to SplitDifference or KitDifference
        What differs in each configuration that both have. Two splits are one configuration.
    """

    a: Path
    b: Path
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    configurations: Mapping[str, SplitDifference | KitDifference]

    @property
    def same(self) -> bool:
        """Whether A and B have the same content."""
        alone = self.only_a or self.only_b
        return not alone and all(pair.same for pair in self.configurations.values())

    @property
    def longest(self) -> int:
        """The largest number of items that differ in one configuration and medium."""
        pairs = [p for p in self.configurations.values() if isinstance(p, SplitDifference)]
        lists = [medium.changes for pair in pairs for medium in pair.media.values()]
        return max(map(len, lists), default=0)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document."""
        return {
            "schema": DIFFERENCE_SCHEMA,
            "a": str(self.a),
            "b": str(self.b),
            "same": self.same,
            "only_a": list(self.only_a),
            "only_b": list(self.only_b),
            "configurations": {name: pair.to_dict() for name, pair in self.configurations.items()},
        }


def compare_splits(
    a: PathLike, b: PathLike, config: str | Iterable[str] | None = None
) -> ReleaseDifference:
    """Compare two noisy splits, releases or versions of one.

    Masks are compared by their digests and are not decoded: `verify` tells whether the files have
    these digests. The configurations of releases are compared by name. If both are in archives,
    they are compared by item; otherwise by their rebuild kits, which tell how much differs, but not
    what.

    Parameters
    ----------
    a, b : str or Path
        A noisy split, a release, an archive (``.tar``) of a release, or a rebuild kit.
    config : str or iterable of str, optional
        The configurations to compare. By default all; needed to compare a release of several
        configurations with a single split.

    Returns
    -------
    ReleaseDifference
        What differs.

    Raises
    ------
    InputError
        If something cannot be read or compared, or if a configuration is unknown.

    Examples
    --------
    >>> import tempfile
    >>> from actiseg_data import make_sample
    >>> from actiseg_noise import compare_splits, corrupt
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sample = make_sample(f"{folder}/sample").path
    ...     a = corrupt(sample, "category", rate=0.2, split="val", out=f"{folder}/a").out
    ...     b = corrupt(sample, "category", rate=0.4, split="val", out=f"{folder}/b").out
    ...     (difference,) = compare_splits(a, b).configurations.values()
    >>> difference.text.count("only_a"), difference.text.count("other_words")
    (0, 0)
    """
    path_a, path_b = as_path(a, "a"), as_path(b, "b")
    wanted = check_selection(config, "config")
    problems = ProblemCollector()
    sides: list[dict[str, ComparedSide]] = []
    for path in (path_a, path_b):
        with problems.collect():
            sides.append(find_sides(path))
    problems.raise_if_any()
    pairs, only_a, only_b = _pair_sides(sides[0], sides[1], (path_a, path_b), wanted)
    differences: dict[str, SplitDifference | KitDifference] = {}
    for name, (first, second) in pairs.items():
        with problems.collect():
            differences[name] = _compare_sides(first, second)
    problems.raise_if_any()
    return ReleaseDifference(path_a, path_b, only_a, only_b, differences)


_PairsByName = dict[str, tuple[ComparedSide, ComparedSide]]


def _pair_sides(
    a: dict[str, ComparedSide],
    b: dict[str, ComparedSide],
    paths: tuple[Path, Path],
    wanted: tuple[str, ...] | None,
) -> tuple[_PairsByName, tuple[str, ...], tuple[str, ...]]:
    """Pair configurations by name; a single split is paired with the only chosen one."""
    releases = [is_release(path) for path in paths]
    if wanted is not None:
        known = [*a] * releases[0] + [*b] * releases[1]
        hint = f"the configurations are {', '.join(dict.fromkeys(known))}"
        if not known:
            raise refuse("neither A nor B is a release", "`config`", "leave it out")
        check_known(wanted, known, "configuration", "`config`", hint)
        a, b = (
            {name: side for name, side in sides.items() if name in wanted} if whole else sides
            for sides, whole in zip((a, b), releases, strict=True)
        )
    if all(releases):
        pairs = {name: (a[name], b[name]) for name in a if name in b}
        return pairs, tuple(n for n in a if n not in b), tuple(n for n in b if n not in a)
    for sides, path in zip((a, b), paths, strict=True):
        if len(sides) > 1:
            what = f"has {len(sides)} configurations ({', '.join(sides)})"
            raise refuse(what, path, "name the one to compare as `config`")
    (first,), (second,) = a.values(), b.values()
    return {(second if releases[1] else first).name: (first, second)}, (), ()


def _compare_sides(a: ComparedSide, b: ComparedSide) -> SplitDifference | KitDifference:
    if a.data is not None and b.data is not None:
        return compare_snapshots(a.read_snapshot(), b.read_snapshot())
    if a.kit is not None and b.kit is not None:
        return compare_kits(a.read_rebuild_kit(), b.read_rebuild_kit())
    alone = a if a.data is None else b
    raise refuse(
        "is a rebuild kit, which cannot be compared with a noisy split",
        alone.where,
        "compare two splits or two kits; actiseg-noise rebuild compares a kit with your own copy "
        "of the source",
    )
