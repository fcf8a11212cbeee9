"""The certificates of one cluster on disk, and the TLS contexts made from them."""

from __future__ import annotations

import secrets
import shutil
import ssl
from pathlib import Path

from kubelearn.cluster import pki
from kubelearn.cluster.state import ClusterFolder
from kubelearn.kit.errors import KubelearnError

#: The authority last: parsing each tells whether it is whole.
_NAMES = ("apiserver", "apiserver-kubelet-client", "admin", "sa", "ca")


def prepare_pki(folder: ClusterFolder, addresses: tuple[str, ...]) -> pki.Authority:
    """Make or read back the authority, the API server's, the kubelet client's and the administrator's certificates.
    They appear all at once, so an `up` that was cut short leaves none. Raises KubelearnError for damaged ones."""
    if not folder.pki.exists():
        new = folder.pki.with_name("pki.new")
        shutil.rmtree(new, ignore_errors=True)
        _make(new, addresses)
        new.rename(folder.pki)
    try:
        return _read(folder)
    except (ValueError, TypeError, OSError) as error:
        raise KubelearnError(
            f"the certificates in {folder.pki} are damaged: {str(error).splitlines()[0]}",
            f"remove the cluster with: kubelearn down --name {folder.name}",
        ) from error


def _read(folder: ClusterFolder) -> pki.Authority:
    """Each pair and the token, to know them whole; raises ValueError, TypeError or OSError."""
    authority = None
    for name in _NAMES:
        pair = pki.read_pair(folder.pki, name)
        if pair is None:
            raise ValueError(f"{name} is missing")
        authority = pki.Authority(pair)
    if authority is None or not token(folder):
        raise ValueError("token is empty")
    return authority


def _make(place: Path, addresses: tuple[str, ...]) -> None:
    authority = pki.Authority.create()
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
    kubelet_client = authority.issue("kube-apiserver-kubelet-client", ("kubeadm:cluster-admins",))
    pki.write_pair(place, "ca", authority.pair)
    pki.write_pair(place, "apiserver", authority.issue("kube-apiserver", (), hosts))
    pki.write_pair(place, "apiserver-kubelet-client", kubelet_client)
    pki.write_pair(place, "admin", authority.issue("kubernetes-admin", ("system:masters",)))
    pki.write_pair(place, "sa", authority.issue("service-accounts"))
    pki.write_secret(place / "token", secrets.token_urlsafe(32) + "\n")


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


def prepare_etcd(folder: ClusterFolder) -> ssl.SSLContext:
    """Make the certificates of the cluster's own etcd, if they are not there: an authority apart, so that no certificate
    of the cluster's opens the store. They appear all at once. Returns the client's TLS."""
    place = folder.pki / "etcd"
    if not place.exists():
        new = folder.pki / "etcd.new"
        shutil.rmtree(new, ignore_errors=True)
        authority = pki.Authority.create("etcd-ca")
        pki.write_pair(new, "ca", authority.pair)
        pki.write_pair(new, "server", authority.issue("kube-etcd", (), ("127.0.0.1", "localhost")))
        pki.write_pair(new, "client", authority.issue("kube-apiserver-etcd-client"))
        new.rename(place)
    context = ssl.create_default_context(cafile=str(place / "ca.crt"))
    context.load_cert_chain(place / "client.crt", place / "client.key")
    return context


def token(folder: ClusterFolder) -> str:
    """The administrator's bearer token, for clients that cannot use certificates."""
    return (folder.pki / "token").read_text().strip()
