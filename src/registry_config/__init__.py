"""Declare container registries once; run any OCI tool with the credentials, leave none behind."""

from registry_config.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from registry_config.registry_config import RegistryConfig as RegistryConfig
    from registry_config.registry_config import SecretMount as SecretMount

__all__ = ["RegistryConfig", "SecretMount"]


def __getattr__(name: str) -> object:
    """Import the Dagger SDK, which takes a second, only for those who use it."""
    if name not in __all__:
        raise AttributeError(name)
    from registry_config import registry_config  # noqa: PLC0415

    return getattr(registry_config, name)
