"""The scheduler: chooses a node for each pod and binds it there."""
