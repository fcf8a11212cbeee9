"""Tools without a Kubernetes word in them: discovery, time, tasks, data files, errors for people."""
