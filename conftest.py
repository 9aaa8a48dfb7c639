"""Without torch, which is in the extra [train], neither the trainer nor what its tests share can be
looked through for examples; its tests skip, saying so.
"""

from importlib.util import find_spec

# Globs, because a folder that pytest is told to look through is not ignored by its name.
collect_ignore_glob = (
    [] if find_spec("torch") else ["reference_trainer/*", "tests/small_nets.py", "tests/trained.py"]
)
