"""The picture of the cluster: a graph of its objects, and renderers of views of it. One file per type of node."""
