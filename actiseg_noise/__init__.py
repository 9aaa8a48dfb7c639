"""Deterministic noisy copies of ActionVOS annotations.

The two entry points of the Python API are `actiseg_noise.corruption.corruption.corrupt` (a dataset on disk) and
`actiseg_noise.mask_noise.clip_masks.corrupt_sequence` (arrays in, arrays out).
"""

from actiseg_data import __version__ as __version__
