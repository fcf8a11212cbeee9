"""Where a cluster's objects are kept: SQLite in its folder, memory, an etcd of its own, or etcd servers elsewhere."""

from __future__ import annotations

import contextlib
import ssl

from kubelearn.cluster.state import ClusterConfig, ClusterFolder
from kubelearn.kit.errors import KubelearnError
from kubelearn.store.interface import Store, StoreError


async def open_store(folder: ClusterFolder, config: ClusterConfig, stack: contextlib.AsyncExitStack) -> Store:
    """The store, open; `stack` closes it, and ends what was started for it. Raises KubelearnError."""
    store = await _make(folder, config, stack)
    try:
        await store.open()
    except StoreError as error:
        raise KubelearnError(str(error), f"to start anew: kubelearn down --name {config.name}") from error
    stack.push_async_callback(store.close)
    return store


async def _make(folder: ClusterFolder, config: ClusterConfig, stack: contextlib.AsyncExitStack) -> Store:
    if config.store == "memory":
        from kubelearn.store.memory import MemoryStore

        return MemoryStore()
    if config.store == "sqlite":
        from kubelearn.store.sqlite import SqliteStore

        return SqliteStore(folder.database)
    from kubelearn.store.etcd import EtcdStore

    if config.etcd_servers:
        return EtcdStore(config.etcd_servers.split(","), tls=_client_tls(config))
    from kubelearn.cluster.local_etcd import LocalEtcd

    etcd = LocalEtcd(folder)
    stack.push_async_callback(etcd.close)
    await etcd.start()
    return EtcdStore([etcd.url], tls=etcd.tls)


def _client_tls(config: ClusterConfig) -> ssl.SSLContext | None:
    if not (config.etcd_cafile or config.etcd_certfile):
        return None
    try:
        context = ssl.create_default_context(cafile=config.etcd_cafile or None)
        if config.etcd_certfile:
            context.load_cert_chain(config.etcd_certfile, config.etcd_keyfile or None)
    except (OSError, ssl.SSLError) as error:
        raise KubelearnError(
            f"the certificates for etcd cannot be used: {error}",
            "look at --etcd-cafile, --etcd-certfile and --etcd-keyfile",
        ) from error
    return context
