"""What a noisy split really holds, whoever made it, and whether that is what its name claims."""
