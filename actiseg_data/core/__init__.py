"""What every part uses: errors, checks of untrusted input, files, keys, workers, statistics."""
