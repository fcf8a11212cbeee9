"""Reviews: questions that are POSTed and answered in their status, and never stored. One file each, exporting REVIEW."""
