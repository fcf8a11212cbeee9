"""`python -m kubelearn` is `kubelearn`."""

from kubelearn.cli.main import main

main()
