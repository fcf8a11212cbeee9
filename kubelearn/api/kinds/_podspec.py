"""Pod specs and pod templates, for all kinds that hold one: the one module to import from.

Defaults and validation are in files of their own because each follows a different part of Kubernetes.
"""

from __future__ import annotations

from kubelearn.api.kinds._podspec_defaults import default_pod_spec, default_template
from kubelearn.api.kinds._podspec_validation import validate_spec, validate_template

__all__ = ["default_pod_spec", "default_template", "validate_spec", "validate_template"]
