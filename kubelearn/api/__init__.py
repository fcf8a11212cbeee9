"""What an API object is: resources, errors, selectors, quantities, patches, tables, schemas. Pure: no I/O, no asyncio.

An object is the plain JSON dict of the Kubernetes API (`Obj`); nothing here wraps it.
"""
