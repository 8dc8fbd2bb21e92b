#!/bin/sh
# registry-config in one file: for a machine that has CPython 3.10 to 3.14 and glibc, on x86-64 or ARM64. Nothing is
# fetched. Behind this script lies a zip archive, which Python runs; it is unpacked once into ~/.cache/registry-config.
for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
    python=$(command -v "$name") || continue
    case $python in /*) ;; *) continue ;; esac
    if "$python" -I -S "$0" --fits >/dev/null 2>&1; then exec "$python" -I -S "$0" "$@"; fi
    : "${here=$python is $("$python" -V 2>&1)}"
done
printf 'registry-config: %s; %s\n' "${here=there is no python3 on PATH}" \
    'this file needs CPython 3.10 to 3.14 with glibc, on x86-64 or ARM64 (Alpine has musl in the place of glibc); install one, or use an image that has it' >&2
exit 69
