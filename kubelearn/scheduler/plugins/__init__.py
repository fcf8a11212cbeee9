"""The scheduler's plugins: one file each, exporting PLUGIN; `order` and `weight` are kube-scheduler's defaults."""
