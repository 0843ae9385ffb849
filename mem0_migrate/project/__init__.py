"""The code base of the user: files, text, modules, manifests."""
