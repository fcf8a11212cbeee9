"""One file per type of node in the picture, each exporting `NODE`."""
