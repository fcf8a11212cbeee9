"""The glass box: causes of writes, the gate that holds watch events, recordings."""
