"""The lesson engine: load, check, hint, verify, progress. A lesson is data; a kind of check is one file in `checks/`."""
