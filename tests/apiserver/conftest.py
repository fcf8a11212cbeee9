"""An API server on a store in memory: `api` speaks to it in-process, `secure` over TLS on a free loopback port."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.api import ADMIN, TOKEN, Api

from kubelearn.apiserver import http
from kubelearn.apiserver.auth import Authenticator, Authorizer
from kubelearn.apiserver.server import ApiServer
from kubelearn.cluster import pki
from kubelearn.store.memory import MemoryStore
from kubelearn.trace.gate import Gate


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    store = MemoryStore()
    await store.open()
    tokens = {TOKEN: ADMIN}
    server = ApiServer(store, Gate(), authenticator=Authenticator(tokens, "a secret"), authorizer=Authorizer())
    await server.start()
    yield server
    await server.close()
    await store.close()


@pytest.fixture
def api(server: ApiServer) -> Api:
    return Api(server)


@dataclass
class Secure:
    """A server behind TLS; `folder` has ca.crt, and admin.crt and admin.key of a client in system:masters."""

    server: ApiServer
    site: http.Site
    folder: Path

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.site.port}"

    def client_tls(self, certificate: str = "") -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.folder / "ca.crt"))
        if certificate:
            context.load_cert_chain(self.folder / f"{certificate}.crt", self.folder / f"{certificate}.key")
        return context


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    authority = pki.Authority.create()
    pki.write_pair(folder, "ca", authority.pair)
    pki.write_pair(folder, "server", authority.issue("kube-apiserver", hosts=("127.0.0.1", "localhost")))
    pki.write_pair(folder, "admin", authority.issue("admin", ("system:masters",)))
    pki.write_pair(folder, "node", authority.issue("system:node:worker-1", ("system:nodes",)))
    return folder


@pytest.fixture
async def secure(server: ApiServer, certificates: Path) -> AsyncIterator[Secure]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificates / "ca.crt"))
    context.load_cert_chain(certificates / "server.crt", certificates / "server.key")
    context.verify_mode = ssl.CERT_OPTIONAL
    site = await http.serve(server, [("127.0.0.1", 0)], context)
    yield Secure(server, site, certificates)
    await site.close()
