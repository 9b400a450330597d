"""Envoy as a peer: installed from PyPI into a folder beside what cargo builds, and what it is started with."""

import shutil
import subprocess
import sys
from pathlib import Path

from processes import Failed

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "envoy" / "requirements.txt"
# What Envoy maps to the rpcs; the gateway says the same in its composition.
ROUTES = {"rpc Get(GetRequest) returns (Order);": "/orders/{id}", "rpc List(ListRequest) returns (OrderList);": "/orders"}


class Envoy:
    """An installed Envoy."""

    def __init__(self, target: Path):
        self._folder = target / "load-peers"
        installed = self._folder / "installed.txt"
        if not installed.exists() or installed.read_text() != REQUIREMENTS.read_text():
            self._install()
            shutil.copy(REQUIREMENTS, installed)

    def _install(self) -> None:
        print("installing Envoy", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", self._folder], check=True)
        subprocess.run([self._folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check",
                        "--requirement", REQUIREMENTS], check=True)

    def command(self, folder: Path, places: dict, cores: int) -> list:
        """Writes what Envoy needs into `folder` and gives the command that starts it."""
        self._describe(folder)
        text = (HERE / "envoy" / "envoy.yaml").read_text()
        for place, value in places.items():
            text = text.replace(f"@{place}@", str(value))
        written = folder / "envoy.yaml"
        written.write_text(text)
        binary = next(self._folder.glob("lib/python*/site-packages/envoy/_bin/envoy"), None)
        if binary is None:
            raise Failed("Envoy's package holds no binary")
        return [binary, "-c", written, "--concurrency", cores, "--disable-hot-restart", "--log-level", "error"]

    def _describe(self, folder: Path) -> None:
        """Compiles orders.proto, with the annotations that Envoy reads, to a set of descriptors."""
        text = (HERE / "project" / "proto" / "orders.proto").read_text()
        text = text.replace("import ", 'import "google/api/annotations.proto";\nimport ', 1)
        for rpc, path in ROUTES.items():
            if rpc not in text:
                raise Failed(f"orders.proto has no `{rpc}`")
            text = text.replace(rpc, f'{rpc[:-1]} {{ option (google.api.http) = {{ get: "{path}" }}; }}')
        (folder / "orders.proto").write_text(text)
        packages = next(self._folder.glob("lib/python*/site-packages"))
        subprocess.run([self._folder / "bin" / "python", "-m", "grpc_tools.protoc", f"-I{folder}", f"-I{packages}",
                        "--include_imports", f"--descriptor_set_out={folder / 'orders.pb'}", "orders.proto"], check=True)
