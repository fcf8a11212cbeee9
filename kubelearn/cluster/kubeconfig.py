"""Write the kubeconfig with which any client reaches the cluster."""

from __future__ import annotations

import base64

from kubelearn.cluster.pki import write_secret
from kubelearn.cluster.state import ClusterConfig, ClusterFolder


def write(folder: ClusterFolder, config: ClusterConfig) -> None:
    """Credentials are inline, so the file works wherever it is copied to on this machine."""
    import yaml

    def data(name: str) -> str:
        return base64.b64encode((folder.pki / name).read_bytes()).decode()

    context = f"kubelearn-{config.name}"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": context,
                "cluster": {
                    "server": f"https://127.0.0.1:{config.port}",
                    "certificate-authority-data": data("ca.crt"),
                },
            }
        ],
        "users": [
            {
                "name": context,
                "user": {"client-certificate-data": data("admin.crt"), "client-key-data": data("admin.key")},
            }
        ],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "current-context": context,
    }
    write_secret(folder.kubeconfig, yaml.safe_dump(document, sort_keys=False))
