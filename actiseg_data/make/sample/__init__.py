"""The built-in sample: a small dataset in the ActionVOS layout, made in seconds from nothing.

Egocentric kitchen clips with the odd cases of the real thing: objects that are absent from a frame,
cut by the border, thin, tiny, in several parts or with holes; look-alikes that lie idle; and, in
`val_human`, labels of a "person" who disagrees with the automatic ones now and then.
"""

from actiseg_data.make.sample.sample_writing import (
    SampleReport,
    SplitCounts,
    is_whole_sample,
    make_sample,
)

__all__ = ["SampleReport", "SplitCounts", "is_whole_sample", "make_sample"]
