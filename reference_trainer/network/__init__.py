"""The slim model: encoder, fusion with prompts, and heads."""
