"""Admission: what is filled in or refused for reasons beyond one object. One file a plugin, exporting `ADMISSION`."""
