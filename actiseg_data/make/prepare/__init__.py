"""Raw EPIC-KITCHENS VISOR to the ActionVOS dataset."""
