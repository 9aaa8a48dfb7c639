"""Preparation of the ActionVOS dataset from raw EPIC-KITCHENS VISOR."""
