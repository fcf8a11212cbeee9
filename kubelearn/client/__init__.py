"""The one client: kubeconfig, REST, watches, informers, work queues. Everyone speaks to a cluster through it."""
