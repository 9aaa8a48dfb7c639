"""Activity without a threshold, and masks without the activity gate."""
