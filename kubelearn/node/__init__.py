"""What runs on a node: the kubelet and kube-proxy, as `python -m kubelearn.node FOLDER`."""
