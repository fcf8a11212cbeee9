"""The command line: the only package that knows everything, and imports each thing when its command runs."""
