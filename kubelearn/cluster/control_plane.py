"""The control plane, wired: everything that runs in a cluster's one background process.

Components reach the API server over the in-process transport, each as its own user, so that authorisation, causes
and the gate treat them as they treat anyone.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
from collections.abc import Callable

from kubelearn import engines
from kubelearn.api.resource import Obj
from kubelearn.apiserver import http, scraping
from kubelearn.apiserver.auth import Authenticator, Authorizer, User
from kubelearn.apiserver.server import ApiServer
from kubelearn.client.event_series import SeriesRecorder
from kubelearn.client.events import EventRecorder
from kubelearn.client.informer import Informer
from kubelearn.client.pool import Pool
from kubelearn.client.rest import Client
from kubelearn.cluster import addons, engine_watch, kubeconfig, nodes, stores, tls
from kubelearn.cluster.machines import Machines
from kubelearn.cluster.state import ClusterConfig, ClusterFolder
from kubelearn.controllers.base import Options
from kubelearn.controllers.manager import Manager
from kubelearn.dns.server import DnsServer
from kubelearn.engines.base import ClusterSpec, Engine
from kubelearn.engines.gateway import Gateway
from kubelearn.kit.errors import KubelearnError
from kubelearn.kit.tasks import Tasks
from kubelearn.scheduler.cycle import Scheduler
from kubelearn.trace.gate import Gate

log = logging.getLogger(__name__)


def component(name: str) -> User:
    """A controller's identity: the service account that kube-controller-manager would use for it."""
    return User(
        f"system:serviceaccount:kube-system:{name}",
        ("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"),
    )


class ControlPlane:
    """One cluster's control plane; `start`, then `nodes_ready`, then `close`."""

    def __init__(self, folder: ClusterFolder, config: ClusterConfig, progress: Callable[[str], None]) -> None:
        self._folder = folder
        self._config = config
        self._progress = progress
        self._tasks = Tasks("control-plane")
        self._stack = contextlib.AsyncExitStack()
        self._ready = asyncio.Event()
        self._pool = Pool()

    async def start(self) -> None:
        """Everything up and the nodes started; they join on their own."""
        folder, config = self._folder, self._config
        engine = self._engine = engines.factory(config.engine).make(
            ClusterSpec(config.name, folder.root, config.second_octet)
        )
        await engine.open()
        self._stack.push_async_callback(engine.close)
        authority = tls.prepare_pki(folder, (f"10.{config.second_octet}.0.1", engine.control_plane_address))
        server = await self._serve(engine)
        kubeconfig.write(folder, config)
        self._progress("control plane is up")
        await self._start_components(server, engine)
        url = f"https://{engine.control_plane_address}:{config.port}"
        underlay = getattr(engine, "underlay", "")
        self._watch_nodes(server, engine)
        for index in range(1, config.nodes + 1):
            await engine.create_node(nodes.node_spec(config, index, url, authority, underlay))
            self._progress(f"node {nodes.node_name(index)} started")

    async def _serve(self, engine: Engine) -> ApiServer:
        folder, config = self._folder, self._config
        store = await stores.open_store(folder, config, self._stack)
        gate = Gate()
        server = ApiServer(
            store,
            gate,
            authenticator=Authenticator(
                tokens={tls.token(folder): User("kubernetes-admin", ("system:masters", "system:authenticated"))},
                signing_key=(folder.pki / "sa.key").read_text(),
            ),
            authorizer=Authorizer(),
            dial=engine.dial,
            kubelet_ssl=tls.kubelet_tls(folder),
        )
        await server.start()
        self._stack.push_async_callback(server.close)
        gateway = Gateway(engine)
        server.mount("/cri/v1/", gateway.handle)
        server.mount("/machines/v1/", Machines(engine).handle)
        listeners = [("127.0.0.1", config.port)]
        if engine.control_plane_address != "127.0.0.1":
            listeners.append((engine.control_plane_address, config.port))
        try:
            site = await http.serve(server, listeners, tls.server_tls(folder))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise KubelearnError(
                f"port {config.port} is in use by another program",
                f"end that program, or start anew on another port: kubelearn down --name {config.name}; "
                f"kubelearn up --name {config.name} --port N",
            ) from error
        self._stack.push_async_callback(site.close)
        return server

    async def _start_components(self, server: ApiServer, engine: Engine) -> None:
        config = self._config
        self._stack.push_async_callback(self._tasks.close)
        admin = self._client(server, User("system:apiserver", ("system:masters",)), "kubelearn")
        dns_client = self._client(server, component("coredns"), "coredns")
        dns = DnsServer(dns_client, nodes.CLUSTER_DOMAIN)
        dns_port = await self._serve_dns(dns, engine)
        await addons.apply(admin, f"10.{config.second_octet}.0.1", config.port, dns_port)
        root_ca = (self._folder.pki / "ca.crt").read_text()
        options = Options(
            root_ca=root_ca,
            legacy_token=server.authenticator.issue_legacy,
            cluster_cidr=f"10.{config.second_octet}.0.0/16",
        )
        manager = Manager(lambda name: self._client(server, component(name), "kube-controller-manager"), options)
        await manager.start(self._tasks)
        user = User("system:kube-scheduler", ("system:authenticated",))
        scheduler_client = self._client(server, user, "kube-scheduler")
        scheduler = Scheduler(scheduler_client, SeriesRecorder(scheduler_client, "default-scheduler"))
        running = self._tasks.start(scheduler.run(), "scheduler")
        server.probes |= {
            "scheduler": lambda: "the scheduler has ended; see the cluster's log" if running.done() else "",
            "controller-manager": manager.problem,
        }
        self._tasks.start(scraping.run(server), "metrics")

    def _client(self, server: ApiServer, user: User, user_agent: str) -> Client:
        return Client(server.local(user, user_agent), pool=self._pool)

    async def _serve_dns(self, dns: DnsServer, engine: Engine) -> int:
        """Port 53 where this user may have it, else 10053 (kube-proxy maps 53 to it). Returns the endpoint port."""
        for port in (53, 10053):
            host, real = engine.dial(f"10.{self._config.second_octet}.0.1", port)
            try:
                await dns.serve(host, real)
            except OSError as error:
                log.warning("cluster DNS cannot listen on %s:%d: %s", host, real, error)
                continue
            self._stack.push_async_callback(dns.close)
            return port
        raise KubelearnError("cluster DNS found no port to listen on", "see the log: kubelearn status --output json")

    def _watch_nodes(self, server: ApiServer, engine: Engine) -> None:
        client = self._client(server, User("system:apiserver", ("system:masters",)), "kubelearn")
        resource = addons.NODES
        informer = Informer(client, resource)

        def look(_type: str, _old: object, _new: object) -> None:
            ready = sum(1 for node in informer.items() if _is_ready(node))
            if ready >= self._config.nodes:
                self._ready.set()

        informer.add_handler(look)
        informer.start(self._tasks)
        recorder = EventRecorder(client, "kubelearn")
        self._tasks.start(engine_watch.watch(engine, informer, recorder), "engine")

    async def nodes_ready(self) -> None:
        """Returns when every node has reported Ready; raises KubelearnError after a minute."""
        try:
            async with asyncio.timeout(60):
                await self._ready.wait()
        except TimeoutError:
            raise KubelearnError(
                "the nodes did not become Ready within a minute",
                f"look at {self._folder.log} and: kubelearn kubectl describe nodes",
            ) from None

    async def close(self) -> None:
        await self._stack.aclose()


def _is_ready(node: Obj) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
