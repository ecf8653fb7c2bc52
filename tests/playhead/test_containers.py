"""Dockerfile and compose.yaml name settings, commands and folders that exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from playhead.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = (ROOT / "compose.yaml").read_text()
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()


def test_named_settings_exist() -> None:
    named = set(re.findall(rf"\b{PREFIX}([A-Z0-9_]+)\b", DOCKERFILE + COMPOSE))
    assert len(named) >= 8
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_the_image_runs_as_nobody_special_and_tells_its_health() -> None:
    lines = DOCKERFILE.splitlines()
    user, entrypoint = lines.index("USER playhead"), lines.index('ENTRYPOINT ["playhead"]')
    assert user < entrypoint
    assert "HEALTHCHECK" in DOCKERFILE
    assert "/healthz" in DOCKERFILE
    assert "--require-hashes -r requirements/run.lock" in DOCKERFILE
    assert 'CMD ["serve"]' in DOCKERFILE
    assert not re.search(r"ADD\s|curl|wget|:latest", DOCKERFILE)


def test_the_image_gets_every_package_and_nothing_else() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    needed = {name.split(".")[0] for name in packages} | {"pyproject.toml", "README.md", "LICENSE"}
    assert IGNORED[0] == "*"
    assert needed <= {line[1:] for line in IGNORED if line.startswith("!")}
    assert all((ROOT / line[1:]).exists() for line in IGNORED if line.startswith("!"))


def test_every_package_of_the_program_is_installed() -> None:
    packages = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    rooms = {name.split(".")[0] for name in packages}
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
    }
    assert found <= packages


def test_every_service_of_the_composition_has_its_health_and_its_volume() -> None:
    services = re.split(r"\n  (?=\w+:\n)", COMPOSE.partition("\nservices:\n")[2].partition("\nvolumes:\n")[0])
    by_name = {service.strip().partition(":")[0]: service for service in services}
    assert set(by_name) == {"playhead", "postgres", "redis", "minio", "bucket"}
    for name in ("postgres", "redis", "minio"):
        assert "healthcheck:" in by_name[name], name
        assert f"- {name}:/" in by_name[name], name
        assert "restart: unless-stopped" in by_name[name], name
    assert by_name["playhead"].count("condition:") == 3
    declared = re.findall(r"^  (\w+):$", COMPOSE.partition("\nvolumes:\n")[2], re.M)
    assert declared == ["playhead", "postgres", "redis", "minio"]


def test_no_password_stands_in_the_composition() -> None:
    for name in ("POSTGRES_PASSWORD", "MINIO_ROOT_PASSWORD", "AWS_SECRET_ACCESS_KEY"):
        (value,) = set(re.findall(rf"{name}: (.+)", COMPOSE))
        assert value.startswith("${")


def test_indentation_is_even_and_free_of_tabs() -> None:
    for number, line in enumerate(COMPOSE.splitlines(), 1):
        assert "\t" not in line, number
        assert (len(line) - len(line.lstrip())) % 2 == 0, number
