"""The resources a node talks about. Written out: the kinds' descriptors bring validation and printing along, which an
agent that should stay small does not need."""

from __future__ import annotations

from kubelearn.api.resource import Resource

CLAIMS = Resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "persistentvolumeclaim", True)
CONFIGMAPS = Resource("", "v1", "ConfigMap", "configmaps", "configmap", True)
ENDPOINT_SLICES = Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", "endpointslice", True)
LEASES = Resource("coordination.k8s.io", "v1", "Lease", "leases", "lease", True)
NODES = Resource("", "v1", "Node", "nodes", "node", False)
PERSISTENT_VOLUMES = Resource("", "v1", "PersistentVolume", "persistentvolumes", "persistentvolume", False)
PODS = Resource("", "v1", "Pod", "pods", "pod", True)
SECRETS = Resource("", "v1", "Secret", "secrets", "secret", True)
SERVICE_ACCOUNTS = Resource("", "v1", "ServiceAccount", "serviceaccounts", "serviceaccount", True)
SERVICES = Resource("", "v1", "Service", "services", "service", True)
