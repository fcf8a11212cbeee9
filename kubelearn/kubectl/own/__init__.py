"""kubelearn's own commands beside kubectl's: causes, the gate, the machines. One file each, exporting `VERB`."""
