"""How Go spells things that reach users in error messages: values, and the types of fields.

`FIELD_TYPES` has those types that OpenAPI only calls strings, by `Struct.field`; what is absent is a string.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BY_TYPE: Mapping[str, str] = {
    "v1.PullPolicy": "Container.imagePullPolicy EphemeralContainer.imagePullPolicy ImageVolumeSource.pullPolicy",
    "v1.TerminationMessagePolicy": ("Container.terminationMessagePolicy EphemeralContainer.terminationMessagePolicy"),
    "v1.ContainerRestartPolicy": "Container.restartPolicy EphemeralContainer.restartPolicy",
    "v1.RestartPolicy": "PodSpec.restartPolicy",
    "v1.DNSPolicy": "PodSpec.dnsPolicy",
    "v1.PreemptionPolicy": "PodSpec.preemptionPolicy PriorityClass.preemptionPolicy",
    "v1.PodPhase": "PodStatus.phase",
    "v1.PodQOSClass": "PodStatus.qosClass",
    "v1.PodConditionType": "PodCondition.type",
    "v1.NodeConditionType": "NodeCondition.type",
    "v1.NodeAddressType": "NodeAddress.type",
    "v1.NamespacePhase": "NamespaceStatus.phase",
    "v1.ConditionStatus": (
        "PodCondition.status NodeCondition.status DeploymentCondition.status ReplicaSetCondition.status "
        "StatefulSetCondition.status DaemonSetCondition.status JobCondition.status NamespaceCondition.status "
        "PersistentVolumeClaimCondition.status"
    ),
    "v1.DeploymentConditionType": "DeploymentCondition.type",
    "v1.DeploymentStrategyType": "DeploymentStrategy.type",
    "v1.DaemonSetUpdateStrategyType": "DaemonSetUpdateStrategy.type",
    "v1.StatefulSetUpdateStrategyType": "StatefulSetUpdateStrategy.type",
    "v1.PodManagementPolicyType": "StatefulSetSpec.podManagementPolicy",
    "v1.JobConditionType": "JobCondition.type",
    "v1.CompletionMode": "JobSpec.completionMode",
    "v1.ConcurrencyPolicy": "CronJobSpec.concurrencyPolicy",
    "v1.Protocol": (
        "ContainerPort.protocol ServicePort.protocol EndpointPort.protocol NetworkPolicyPort.protocol "
        "PortStatus.protocol"
    ),
    "v1.URIScheme": "HTTPGetAction.scheme",
    "v1.ServiceType": "ServiceSpec.type",
    "v1.ServiceAffinity": "ServiceSpec.sessionAffinity",
    "v1.ServiceExternalTrafficPolicy": "ServiceSpec.externalTrafficPolicy",
    "v1.ServiceInternalTrafficPolicy": "ServiceSpec.internalTrafficPolicy",
    "v1.IPFamilyPolicy": "ServiceSpec.ipFamilyPolicy",
    "[]v1.IPFamily": "ServiceSpec.ipFamilies",
    "v1.AddressType": "EndpointSlice.addressType",
    "v1.SecretType": "Secret.type",
    "v1.TaintEffect": "Taint.effect Toleration.effect",
    "v1.TolerationOperator": "Toleration.operator",
    "v1.LabelSelectorOperator": "LabelSelectorRequirement.operator",
    "v1.NodeSelectorOperator": "NodeSelectorRequirement.operator",
    "v1.UnsatisfiableConstraintAction": "TopologySpreadConstraint.whenUnsatisfiable",
    "v1.StorageMedium": "EmptyDirVolumeSource.medium",
    "v1.HostPathType": "HostPathVolumeSource.type",
    "v1.MountPropagationMode": "VolumeMount.mountPropagation",
    "v1.ProcMountType": "SecurityContext.procMount",
    "v1.SeccompProfileType": "SeccompProfile.type",
    "v1.PersistentVolumeMode": "PersistentVolumeClaimSpec.volumeMode PersistentVolumeSpec.volumeMode",
    "v1.PersistentVolumeReclaimPolicy": "PersistentVolumeSpec.persistentVolumeReclaimPolicy",
    "[]v1.PersistentVolumeAccessMode": "PersistentVolumeClaimSpec.accessModes PersistentVolumeSpec.accessModes",
    "v1.PathType": "HTTPIngressPath.pathType",
    "[]v1.PolicyType": "NetworkPolicySpec.policyTypes",
    "[]v1.FinalizerName": "NamespaceSpec.finalizers",
    "types.UID": ("ObjectMeta.uid OwnerReference.uid ObjectReference.uid Preconditions.uid StatusDetails.uid"),
    "v1.ManagedFieldsOperationType": "ManagedFieldsEntry.operation",
}

#: `PodSpec.restartPolicy` → `v1.RestartPolicy`.
FIELD_TYPES: Mapping[str, str] = {field: go_type for go_type, fields in _BY_TYPE.items() for field in fields.split()}


def go_value(value: Any) -> str:
    """Go's %v of JSON."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_value(item)}" for key, item in sorted(value.items())) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(go_value, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "<nil>", True: "true", False: "false"}[value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return str(value)
