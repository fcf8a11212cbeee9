"""The sub-commands of `create`, one file each."""
