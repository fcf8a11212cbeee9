"""The Textual app: lesson at the left, the picture, what happened and why, the shell. Widgets render; workers post."""
