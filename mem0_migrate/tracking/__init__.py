"""Which expressions hold a client: files summarised one by one, and solved together."""
