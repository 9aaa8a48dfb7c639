"""Recipes: the kinds of noise, their parameters, presets, and checks."""
