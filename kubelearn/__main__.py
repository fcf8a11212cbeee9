"""`python -m kubelearn` is `kubelearn`."""

from kubelearn.cli import main

main()
