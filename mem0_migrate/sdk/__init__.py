"""What is true of mem0ai, as data."""
