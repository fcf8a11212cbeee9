"""A node: `python -m kubelearn.node FOLDER`. SIGTERM ends kubelet and proxy; containers go on."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from pathlib import Path

from kubelearn.client.http import HttpTransport
from kubelearn.client.rest import Client
from kubelearn.kit.errors import KubelearnError
from kubelearn.kit.tasks import Tasks
from kubelearn.node.config import NodeConfig, load
from kubelearn.node.cri_client import CriClient
from kubelearn.node.kubelet.agent import Kubelet
from kubelearn.node.kubelet.server import KubeletServer
from kubelearn.node.proxy.base import run_proxy

log = logging.getLogger(__name__)


def main(argv: list[str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if len(argv) != 1:
        sys.stderr.write("usage: python -m kubelearn.node FOLDER\n")
        return 2
    try:
        config = load(Path(argv[0]))
    except KubelearnError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    import uvloop

    gc.freeze()
    uvloop.run(run(config))
    return 0


async def run(config: NodeConfig) -> None:
    """Until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    transport = HttpTransport(config.server, config.client_tls())
    client = Client(transport, user_agent="kubelet")
    proxy_client = Client(transport, user_agent="kube-proxy")
    async with Tasks(config.node) as tasks:
        kubelet = Kubelet(config, client, CriClient(transport), tasks)
        server = KubeletServer(kubelet, tasks)
        await server.start()
        try:
            tasks.start(run_proxy(proxy_client, config, tasks), "kube-proxy")
            tasks.start(kubelet.run(), "kubelet")
            await stop.wait()
            log.info("%s: told to stop", config.node)
        finally:
            await server.close()
    await transport.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
