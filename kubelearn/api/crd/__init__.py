"""Custom resources: what a CustomResourceDefinition's structural schema makes of an object. Pure.

A schema here is an `openAPIV3Schema` as written (a dict). Source: k8s.io/apiextensions-apiserver.
"""
