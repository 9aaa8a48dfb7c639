"""Contact sheets of a noisy split: its frames and prompts before and after the noise."""

from actiseg_noise.preview.sheet import make_preview, save_preview

__all__ = ["make_preview", "save_preview"]
