"""The certificates of one cluster on disk, and the TLS contexts made from them."""

from __future__ import annotations

import secrets
import ssl

from kubelearn.cluster import pki
from kubelearn.cluster.state import ClusterFolder


def prepare_pki(folder: ClusterFolder, addresses: tuple[str, ...]) -> pki.Authority:
    """Make or read back the authority, the API server's, the kubelet client's and the administrator's certificates."""
    pair = pki.read_pair(folder.pki, "ca")
    if pair is None:
        authority = pki.Authority.create()
        pki.write_pair(folder.pki, "ca", authority.pair)
        hosts = (
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
            "localhost",
            "host.docker.internal",
            "127.0.0.1",
            "10.96.0.1",
            *addresses,
        )
        pki.write_pair(folder.pki, "apiserver", authority.issue("kube-apiserver", (), hosts))
        pki.write_pair(
            folder.pki,
            "apiserver-kubelet-client",
            authority.issue("kube-apiserver-kubelet-client", ("kubeadm:cluster-admins",)),
        )
        pki.write_pair(folder.pki, "admin", authority.issue("kubernetes-admin", ("system:masters",)))
        pki.write_pair(folder.pki, "sa", authority.issue("service-accounts"))
        pki.write_secret(folder.pki / "token", secrets.token_urlsafe(32) + "\n")
        return authority
    return pki.Authority(pair)


def server_tls(folder: ClusterFolder) -> ssl.SSLContext:
    """TLS of the API server: certificates of clients are asked for, not required."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder.pki / "apiserver.crt", folder.pki / "apiserver.key")
    context.load_verify_locations(folder.pki / "ca.crt")
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def kubelet_tls(folder: ClusterFolder) -> ssl.SSLContext:
    """TLS with which the API server calls kubelets."""
    context = ssl.create_default_context(cafile=str(folder.pki / "ca.crt"))
    context.load_cert_chain(folder.pki / "apiserver-kubelet-client.crt", folder.pki / "apiserver-kubelet-client.key")
    return context


def token(folder: ClusterFolder) -> str:
    """The administrator's bearer token, for clients that cannot use certificates."""
    return (folder.pki / "token").read_text().strip()
