"""A picture of what a noisy split holds, and its prompts before and after."""

from actiseg_noise.preview.sheet import make_preview, save_preview

__all__ = ["make_preview", "save_preview"]
