"""The lesson engine: load, check, hint, verify, progress. Lessons are data; a kind of check is one file."""
