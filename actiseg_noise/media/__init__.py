"""The media that a recipe can change, masks and text, behind one interface.

`actiseg_noise.media.registry.MEDIA` lists them. The code that corrupts, checks or reproduces a
split uses `Medium` and does not ask which media a recipe has.
"""
