"""One file per kind of check, each exporting `CHECK`."""
