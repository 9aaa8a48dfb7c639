"""What a release is made of: the noisy splits, what its authors state, checksums, licences."""
