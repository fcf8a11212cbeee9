"""Kubernetes with the lid off: a small real cluster that can be watched, paused, stepped and asked "why"."""

__version__ = "0.1.0"

#: The Kubernetes release whose API is served and whose official definitions are read.
KUBERNETES_VERSION = "1.36.2"
