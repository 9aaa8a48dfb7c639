"""Frames painted from index masks, for data whose frames are not at hand.

A picture knows of an object only its pixels, its name and its class: never whether it takes part in
the action, which shows in nothing but geometry. Classes share materials, and the things of one
kitchen share colours, so that colour does not tell a class either.

Everything is keyed by the kitchen (the video), the sequence, the object's name and the frame.
Frames are pictures for looking at and learning from; only masks are stable to the pixel under other
library versions.
"""

from actiseg_data.make.render.painting import render_frame

__all__ = ["render_frame"]
