"""One file per subresource, each exporting SUBRESOURCE; discovery and routing read the same descriptors."""
