"""Controllers: one file each, exporting `CONTROLLER`; the manager finds and runs them.

A controller watches, queues keys, and makes the cluster more like what is asked for, one key at a time, over the
same API that everyone uses.
"""
