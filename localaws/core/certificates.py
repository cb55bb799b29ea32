"""The local CA, the server certificate it signs, and the bundle that trusts it.

The bundle is the public CAs *plus* the local one, so that a shell which uses it can still reach everything else.
"""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from localaws.core import ca_bundle
from localaws.core.home import Home, write_durably

LIFETIME = datetime.timedelta(days=3650)


def ensure(home: Home) -> None:
    """Make the certificates that `home` lacks, and update the public CAs in its bundle."""
    if not (home.ca_file.exists() and home.tls_certificate.exists() and home.tls_key.exists()):
        _make(home)
    bundle = _public_cas(home) + b"\n" + home.ca_file.read_bytes()
    if not home.ca_bundle.exists() or home.ca_bundle.read_bytes() != bundle:
        write_durably(home.ca_bundle, bundle, mode=0o644)


def _public_cas(home: Home) -> bytes:
    """Return the CAs that the user's shell names, else certifi's."""
    return (ca_bundle.chosen(home) or Path(certifi.where())).read_bytes()


def _make(home: Home) -> None:
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"localaws CA {home.root.name}"[:60])])
    ca = (
        x509.CertificateBuilder()
        .subject_name(ca_name)
        .issuer_name(ca_name)
        .public_key(ca_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]))
        .issuer_name(ca_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    # The CA's key is not kept: nobody can sign another certificate that this machine's shells would trust.
    write_durably(home.ca_file, ca.public_bytes(serialization.Encoding.PEM), mode=0o644)
    write_durably(home.tls_certificate, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_durably(home.tls_key, private, mode=0o600)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
