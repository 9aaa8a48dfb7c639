"""Recipes: the kinds of noise as data, presets, and how a recipe is built and checked."""
