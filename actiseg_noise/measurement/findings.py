"""Findings of an audit: sentences that say whether a split matches its recipe or its name."""

from __future__ import annotations

from typing import NamedTuple

from actiseg_noise.measurement.proportions import Proportion

NOT_REQUESTED = "which no recipe asks for"


class Finding(NamedTuple):
    """The result of one comparison.

    Attributes
    ----------
    agrees : bool
        Whether the split is what its recipe or its name claims.
    text : str
        The comparison as a sentence.
    """

    agrees: bool
    text: str


def compare_rate(
    what: str,
    proportion: Proportion,
    wanted: float,
    total: tuple[Proportion, str],
    agrees: bool | None = None,
) -> Finding:
    """Compare a measured proportion with the rate of a recipe.

    Parameters
    ----------
    what : str
        What was counted, such as ``flips``.
    proportion : Proportion
        Counted among the items that the recipe could change.
    wanted : float
        The recipe's rate, 0 to 1.
    total : tuple of (Proportion, str)
        The proportion among all items, and what these are. It is shown if it differs.
    agrees : bool, optional
        The verdict. Default: whether `wanted` is within the proportion's interval.

    Returns
    -------
    Finding
    """
    if agrees is None:
        agrees = proportion.is_consistent_with(wanted)
    text = (
        f"{what}: {proportion.percentage} of the {proportion.items} that could be "
        f"{'is' if agrees else 'is not'} what the recipe asks for ({wanted:.1%})"
    )
    whole, unit = total
    if whole.items != proportion.items:
        text += f"; {whole.percentage} of all {whole.items} {unit}"
    return Finding(agrees, text)
