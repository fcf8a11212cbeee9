"""How `describe` tells of an object: one file per kind, named as the kind, exporting DESCRIBER; else generic."""
