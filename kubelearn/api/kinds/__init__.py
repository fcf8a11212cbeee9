"""The kinds the API server serves: one file each, exporting `KIND`; what they share is in the `_*.py` files.

Found by `kit.discover`, so a new kind is a new file here and its test. Nothing in this package does I/O.
"""
