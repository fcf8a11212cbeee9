"""One valid object of every kind, for fuzzing to start from. Those that the server refuses fail a test of their own."""

from __future__ import annotations

from typing import Any

from kubelearn.api.resource import Obj

_CONTAINER = {
    "name": "c", "image": "kubelearn/web:v1", "command": ["sh", "-c", "true"],
    "ports": [{"name": "http", "containerPort": 8080}],
    "env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
    "resources": {"requests": {"cpu": "100m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}},
    "volumeMounts": [{"name": "v", "mountPath": "/v"}],
    "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 1},
}  # fmt: skip
_POD: Obj = {
    "containers": [_CONTAINER],
    "volumes": [{"name": "v", "emptyDir": {}}],
    "tolerations": [{"key": "k", "operator": "Exists", "effect": "NoSchedule"}],
    "nodeSelector": {"disk": "ssd"},
    "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"labelSelector": {"matchLabels": {"app": "a"}}, "topologyKey": "kubernetes.io/hostname"}]}},
}  # fmt: skip
_LABELS = {"app": "a"}
_TEMPLATE = {"metadata": {"labels": _LABELS}, "spec": _POD}
_SELECTOR = {"matchLabels": _LABELS}
_JOB_POD = {**_TEMPLATE, "spec": {**_POD, "restartPolicy": "Never"}}
_CLAIM = {
    "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "standard",
}  # fmt: skip
_ROLE = {"rules": [{"apiGroups": ["", "apps"], "resources": ["pods", "deployments"], "verbs": ["get", "list"]}]}
_TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
_EVENT = {"reason": "Happened", "type": "Normal"}
_SUBJECTS = [{"kind": "User", "name": "ann", "apiGroup": "rbac.authorization.k8s.io"}]

#: By apiVersion and kind, what an object has beside its metadata.
SAMPLES: dict[tuple[str, str], Obj] = {
    ("v1", "ConfigMap"): {"data": {"a": "1"}, "binaryData": {"b": "AAEC"}},
    ("v1", "Endpoints"): {"subsets": [{"addresses": [{"ip": "10.1.1.1"}], "ports": [{"name": "http", "port": 80}]}]},
    ("v1", "Event"): {**_EVENT, "message": "m", "involvedObject": {"kind": "Pod", "name": "p", "namespace": "default"}},
    ("v1", "LimitRange"): {"spec": {"limits": [{"type": "Container", "default": {"cpu": "1"}, "max": {"cpu": "2"}}]}},
    ("v1", "Namespace"): {},
    ("v1", "Node"): {"spec": {"podCIDR": "10.1.1.0/24", "taints": [{"key": "k", "effect": "NoSchedule"}]}},
    ("v1", "PersistentVolumeClaim"): {"spec": _CLAIM},
    ("v1", "PersistentVolume"): {"spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
                                          "hostPath": {"path": "/tmp"}}},
    ("v1", "Pod"): {"spec": _POD},
    ("v1", "PodTemplate"): {"template": _TEMPLATE},
    ("v1", "ReplicationController"): {"spec": {"replicas": 1, "selector": _LABELS, "template": _TEMPLATE}},
    ("v1", "ResourceQuota"): {"spec": {"hard": {"pods": "10", "requests.cpu": "2"}}},
    ("v1", "Secret"): {"stringData": {"a": "1"}, "data": {"b": "AAEC"}, "type": "Opaque"},
    ("v1", "ServiceAccount"): {"automountServiceAccountToken": False},
    ("v1", "Service"): {"spec": {"selector": _LABELS, "type": "NodePort",
                                 "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}},
    ("apps/v1", "ControllerRevision"): {"revision": 1, "data": {"a": 1}},
    ("apps/v1", "DaemonSet"): {"spec": {"selector": _SELECTOR, "template": _TEMPLATE}},
    ("apps/v1", "Deployment"): {"spec": {"replicas": 2, "selector": _SELECTOR, "template": _TEMPLATE,
                                         "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}}}},
    ("apps/v1", "ReplicaSet"): {"spec": {"replicas": 1, "selector": _SELECTOR, "template": _TEMPLATE}},
    ("apps/v1", "StatefulSet"): {"spec": {"serviceName": "s", "selector": _SELECTOR, "template": _TEMPLATE,
                                          "volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": _CLAIM}]}},
    ("authentication.k8s.io/v1", "SelfSubjectReview"): {},
    ("authentication.k8s.io/v1", "TokenReview"): {"spec": {"token": "t", "audiences": ["a"]}},
    ("authorization.k8s.io/v1", "LocalSubjectAccessReview"): {
        "metadata": {"namespace": "default"},
        "spec": {"user": "ann", "resourceAttributes": {"namespace": "default", "verb": "get", "resource": "pods"}}},
    ("authorization.k8s.io/v1", "SelfSubjectAccessReview"): {
        "spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}},
    ("authorization.k8s.io/v1", "SelfSubjectRulesReview"): {"spec": {"namespace": "default"}},
    ("authorization.k8s.io/v1", "SubjectAccessReview"): {
        "spec": {"user": "ann", "groups": ["g"], "nonResourceAttributes": {"path": "/healthz", "verb": "get"}}},
    ("autoscaling/v1", "HorizontalPodAutoscaler"): {
        "spec": {"scaleTargetRef": _TARGET, "maxReplicas": 3, "targetCPUUtilizationPercentage": 50}},
    ("autoscaling/v2", "HorizontalPodAutoscaler"): {
        "spec": {"scaleTargetRef": _TARGET, "minReplicas": 1, "maxReplicas": 3, "metrics": [
            {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 5}}}],
            "behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 10}]}}}},
    ("batch/v1", "CronJob"): {"spec": {"schedule": "*/5 * * * *", "timeZone": "Etc/UTC",
                                       "jobTemplate": {"spec": {"template": _JOB_POD}}}},
    ("batch/v1", "Job"): {"spec": {"template": _JOB_POD, "completions": 2, "parallelism": 2, "podFailurePolicy": {
        "rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1]}}]}}},
    ("coordination.k8s.io/v1", "Lease"): {"spec": {"holderIdentity": "h", "leaseDurationSeconds": 10,
                                                   "renewTime": "2026-01-01T00:00:00.000000Z"}},
    ("discovery.k8s.io/v1", "EndpointSlice"): {
        "addressType": "IPv4", "ports": [{"name": "http", "port": 80}],
        "endpoints": [{"addresses": ["10.1.1.1"], "conditions": {"ready": True}}]},
    ("events.k8s.io/v1", "Event"): {**_EVENT, "action": "Do", "reportingController": "a.b/c", "reportingInstance": "i",
                                    "eventTime": "2026-01-01T00:00:00.000000Z", "note": "n",
                                    "regarding": {"kind": "Pod", "name": "p", "namespace": "default"}},
    ("networking.k8s.io/v1", "IngressClass"): {"spec": {"controller": "example.com/c"}},
    ("networking.k8s.io/v1", "Ingress"): {"spec": {"rules": [{"host": "a.example.com", "http": {"paths": [
        {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "s", "port": {"number": 80}}}}]}}]}},
    ("networking.k8s.io/v1", "NetworkPolicy"): {"spec": {
        "podSelector": _SELECTOR, "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}], "ports": [{"port": 80}]}]}},
    ("policy/v1", "PodDisruptionBudget"): {"spec": {"minAvailable": "50%", "selector": _SELECTOR}},
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": _SUBJECTS},
    ("rbac.authorization.k8s.io/v1", "ClusterRole"): {
        **_ROLE, "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}},
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}, "subjects": _SUBJECTS},
    ("rbac.authorization.k8s.io/v1", "Role"): _ROLE,
    ("scheduling.k8s.io/v1", "PriorityClass"): {"value": 5, "description": "d"},
    ("storage.k8s.io/v1", "CSIDriver"): {"spec": {"attachRequired": False, "fsGroupPolicy": "File"}},
    ("storage.k8s.io/v1", "CSINode"): {"spec": {"drivers": [{"name": "d", "nodeID": "n", "topologyKeys": ["a/b"]}]}},
    ("storage.k8s.io/v1", "CSIStorageCapacity"): {"storageClassName": "s", "capacity": "1Gi"},
    ("storage.k8s.io/v1", "StorageClass"): {"provisioner": "a.b/c", "parameters": {"a": "b"}},
    ("storage.k8s.io/v1", "VolumeAttributesClass"): {"driverName": "a.b", "parameters": {"a": "b"}},
    ("networking.k8s.io/v1", "ServiceCIDR"): {"spec": {"cidrs": ["10.1.0.0/24", "fd00::/64"]}},
    ("networking.k8s.io/v1", "IPAddress"): {
        "metadata": {"name": "10.1.0.1"},
        "spec": {"parentRef": {"resource": "services", "namespace": "default", "name": "s"}},
    },
    ("apiregistration.k8s.io/v1", "APIService"): {
        "metadata": {"name": "v1.e.com"},
        "spec": {"group": "e.com", "version": "v1", "groupPriorityMinimum": 1000, "versionPriority": 100},
    },
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): {
        "metadata": {"name": "widgets.e.com"},
        "spec": {
            "group": "e.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {
                                "spec": {
                                    "type": "object",
                                    "properties": {"size": {"type": "integer", "minimum": 1, "default": 1}},
                                    "x-kubernetes-validations": [{"rule": "self.size < 5"}],
                                }
                            },
                        }
                    },
                }
            ],
        },
    },
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"): {
        "spec": {
            "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
            "matchConstraints": {"resourceRules": [
                {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}]},
            "matchConditions": [{"name": "c", "expression": "request.operation == 'CREATE'"}],
            "variables": [{"name": "n", "expression": "object.spec.replicas"}],
            "validations": [{"expression": "variables.n < 5", "message": "m", "reason": "Forbidden"}],
            "auditAnnotations": [{"key": "k", "valueExpression": "'a'"}],
        },
    },
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding"): {
        "spec": {
            "policyName": "p",
            "paramRef": {"name": "c", "namespace": "default", "parameterNotFoundAction": "Deny"},
            "matchResources": {"namespaceSelector": {"matchLabels": {"app": "a"}}},
            "validationActions": ["Deny", "Audit"],
        },
    },
    ("storage.k8s.io/v1", "VolumeAttachment"): {
        "spec": {"attacher": "a.b", "nodeName": "n", "source": {"persistentVolumeName": "pv"}}},
}  # fmt: skip


def sample(api_version: str, kind: str, name: str = "x") -> Obj:
    """Made anew, so that a caller may change it."""
    found = SAMPLES[api_version, kind]
    about: dict[str, Any] = {"name": name, "labels": {"app": "a"}, "annotations": {"a/b": "c"}}
    if kind == "SelfSubjectReview" or kind.endswith(("AccessReview", "RulesReview", "TokenReview")):
        about = {}
    about |= found.get("metadata", {})
    made: Obj = _copied({"apiVersion": api_version, "kind": kind, **found, "metadata": about})
    return made


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _copied(v) for k, v in value.items()}
    return [_copied(v) for v in value] if isinstance(value, list) else value
