"""Boundary noise: contours that are grown, shrunk or wobbled, and who owns what they share."""
