"""The digests of starts that are kept with the package, for the plans whose results are."""

from __future__ import annotations

from actiseg_data.core.manifests import load_installed

STARTS_SCHEMA = "actiseg/bench-starts/1"
STARTS_FILE = "baselines/starts.json"


def load_kept_starts(plan: str) -> dict[str, str]:
    """Load the digest of the parameters of each start of a plan, by the path of its job.

    Returns
    -------
    dict of str to str
        Empty for plans without kept results.

    Examples
    --------
    >>> "S/starts/s0" in load_kept_starts("equal-terms")
    True
    """
    plans = load_installed(STARTS_FILE, STARTS_SCHEMA)["plans"]
    if plan not in plans:
        return {}
    return {path: digest.as_text() for path, digest in plans[plan].iterate_members()}
