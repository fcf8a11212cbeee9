"""Cluster DNS: names of Services and pods."""
