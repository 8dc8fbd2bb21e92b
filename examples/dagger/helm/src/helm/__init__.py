"""Helm charts, packed and pushed to registries that ask for a password.

The module holds one `registry-config`, hands its `with-registry-auth` on, and mounts it where helm runs:

    $ dagger call \
        with-registry-auth --address=ghcr.io --username=alice --secret=env://TOKEN \
        push --chart=charts/app --target=ghcr.io/org/charts

In your own module: `dagger install github.com/org/registry-config-action@v1`.
"""

import dataclasses
import re
import uuid
from typing import Annotated

import dagger
from dagger import DefaultAddress, Doc, dag, function, object_type
from typing_extensions import Self

_HELM = "alpine/helm:3.19.0@sha256:aef9b56f64e866207d9591d0abd8f6d767b36aadd12edf68f8a719716d9d29c9"
_CONFIG = "/run/helm/config.json"


@object_type
class Helm:
    """Packs and pushes charts."""

    tool: Annotated[dagger.Container, DefaultAddress(_HELM), Doc("container with helm")]
    _config: dagger.RegistryConfig = dataclasses.field(default_factory=dag.registry_config, init=False)

    # What holds a secret is kept for this session only, and a push is never skipped.
    @function(cache="session")
    def with_registry_auth(self, address: str, username: str, secret: dagger.Secret) -> Self:
        """Add a credential; the last one for an address wins."""
        self._config = self._config.with_registry_auth(address, username, secret)
        return self

    @function(cache="session")
    def without_registry_auth(self, address: str) -> Self:
        """Remove the credential of a registry."""
        self._config = self._config.without_registry_auth(address)
        return self

    @function(cache="session")
    def with_service(
        self,
        name: Annotated[str, Doc("host name for helm")],
        service: Annotated[dagger.Service, Doc("tcp://host:port")],
    ) -> Self:
        """Let helm reach a service, such as a registry for tests."""
        self.tool = self.tool.with_service_binding(name, service)
        return self

    @function
    async def package(self, chart: Annotated[dagger.Directory, Doc("folder with Chart.yaml")]) -> dagger.File:
        """The packed chart."""
        packing = self.tool.with_mounted_directory("/chart", chart).with_exec(
            ["helm", "package", "/chart", "--destination", "/packed"]
        )
        packed = packing.directory("/packed")
        (name,) = await packed.entries()
        return packed.file(name)

    @function(cache="never")
    async def push(
        self,
        chart: Annotated[dagger.Directory, Doc("folder with Chart.yaml")],
        target: Annotated[str, Doc("host and namespace, such as ghcr.io/org/charts")],
        *,
        plain_http: Annotated[bool, Doc("the registry speaks no TLS")] = False,
    ) -> str:
        """Pack a chart and push it; its digest."""
        file = await self.package(chart)
        archive = f"/packed/{await file.name()}"
        helm = (
            self._config.secret_mount(_CONFIG, skip_on_empty=True)
            .mount(self.tool)
            .with_env_variable("HELM_REGISTRY_CONFIG", _CONFIG)
            .with_mounted_file(archive, file)
            .with_env_variable("PUSH", uuid.uuid4().hex)
        )
        options = ["--plain-http"] if plain_http else []
        pushed = await helm.with_exec(["helm", "push", *options, archive, f"oci://{target}"]).combined_output()
        return re.findall(r"^Digest: (sha256:[0-9a-f]{64})$", pushed, re.MULTILINE)[-1]
