"""The built-in sample: a small synthetic dataset in the ActionVOS layout, made in seconds.

Its egocentric kitchen sequences have the special cases of real data: objects that are absent from a
frame, cut by the border, thin, tiny, in several parts or with holes; inactive look-alikes; and, in
`val_human`, labels of a "person" who sometimes disagrees with the automatic ones.
"""

from actiseg_data.make.sample.sample_writing import (
    SampleReport,
    SplitCounts,
    is_whole_sample,
    make_sample,
    make_sized_sample,
)

__all__ = ["SampleReport", "SplitCounts", "is_whole_sample", "make_sample", "make_sized_sample"]
