"""What a lab's processes trust: the public CAs of the shell or the system, and the lab's own."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from localaws.core import ca_bundle, certificates
from localaws.core.home import Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    home = Home.at(tmp_path / "home")
    certificates.ensure(home)
    return home


@pytest.mark.parametrize("named", [False, True], ids=["by itself", "with the shell naming a file of it"])
def test_a_CA_directory_that_openssl_can_search_is_passed_on_by_name(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    (tmp_path / "0a1b2c3d.0").touch()
    (tmp_path / "ca-certificates.crt").touch()
    if named:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca-certificates.crt"))
    found = ca_bundle.environment(home)
    assert found["SSL_CERT_DIR"] == str(tmp_path)
    loaded = ssl.create_default_context(cafile=found["SSL_CERT_FILE"]).get_ca_certs()
    assert [ca["subject"][0][0][1] for ca in loaded] == ["localaws CA home"]


def test_without_a_CA_directory_all_public_CAs_are_in_the_file(home: Home, tmp_path: Path) -> None:
    (tmp_path / "ca-certificates.crt").touch()
    found = ca_bundle.environment(home)
    assert "SSL_CERT_DIR" not in found
    assert len(ssl.create_default_context(cafile=found["SSL_CERT_FILE"]).get_ca_certs()) > 50


def test_CAs_that_environment_variables_name_come_before_the_system_s(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "0a1b2c3d.0").touch()
    own = home.root / "company.pem"
    own.write_bytes(home.ca_file.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    certificates.ensure(home)
    assert ca_bundle.environment(home) == {"SSL_CERT_FILE": str(home.ca_bundle), "AWS_CA_BUNDLE": str(home.ca_bundle)}
    assert home.ca_bundle.read_bytes().startswith(own.read_bytes())
