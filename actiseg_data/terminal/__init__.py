"""What all command lines share: exit codes, options, progress, problems, tables."""
