"""What becomes of an answer: its uses, its mode, reads after it, and the judgement."""
