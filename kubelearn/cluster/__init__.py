"""Bring-up and tear-down: state folders, certificates, the control-plane process, machines."""
