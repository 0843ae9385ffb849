"""Repairs: which strategy, which edits, the proof that they are right, and writing them."""
