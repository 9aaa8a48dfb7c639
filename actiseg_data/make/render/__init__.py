"""Frames painted from index masks, for datasets without photographs.

The renderer sees the pixels, the name and the class of an object, never whether it is active, so
activity shows in geometry only. Classes share materials, and the objects of one kitchen share
colours, so colour does not reveal a class either.

All choices are keyed by the kitchen (the video), the sequence, the object's name and the frame.
Rendered frames may differ slightly under other library versions; masks do not.
"""

from actiseg_data.make.render.painting import render_frame

__all__ = ["render_frame"]
