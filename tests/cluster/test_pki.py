import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from kubelearn.cluster import pki


def test_client_certificates_name_user_and_groups() -> None:
    pair = pki.Authority.create().issue("system:node:worker-1", ("system:nodes",))
    subject = x509.load_pem_x509_certificate(pair.certificate.encode()).subject
    assert {a.rfc4514_attribute_name: a.value for a in subject} == {
        "O": "system:nodes",
        "CN": "system:node:worker-1",
    }


def test_openssl_accepts_the_chain(tmp_path: Path) -> None:
    authority = pki.Authority.create()
    pki.write_pair(tmp_path, "server", authority.issue("server", (), ("localhost", "127.0.0.1")))
    (tmp_path / "ca.crt").write_text(authority.pair.certificate)
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.crt"))
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    leaf = x509.load_pem_x509_certificate((tmp_path / "server.crt").read_bytes())
    root_key = x509.load_pem_x509_certificate(authority.pair.certificate.encode()).public_key()
    assert isinstance(root_key, ec.EllipticCurvePublicKey)
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.pair.certificate.encode()))


def test_keys_are_private(tmp_path: Path) -> None:
    pki.write_pair(tmp_path, "ca", pki.Authority.create().pair)
    assert (tmp_path / "ca.key").stat().st_mode & 0o777 == 0o600
    again = pki.read_pair(tmp_path, "ca")
    assert again is not None
    assert pki.Authority(again).issue("someone").certificate.startswith("-----BEGIN CERTIFICATE-----")
