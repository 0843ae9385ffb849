"""One rule per module, found by listing this folder; `registry` reads what each says of itself."""
