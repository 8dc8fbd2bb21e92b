# Shared by the scripts here; sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Outside of the clone, so that a fresh clone does not build the tools again.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/registry-config-action
export PATH="$cache/bin:$PATH"

say() { printf '== %s\n' "$*"; }

as_root() { if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi; }

# Install Debian packages for the programs that are missing: need_programs PROGRAM=PACKAGE...
need_programs() {
    local pair packages=()
    for pair in "$@"; do
        command -v "${pair%%=*}" >/dev/null || packages+=("${pair#*=}")
    done
    [[ ${#packages[@]} == 0 ]] && return
    say "installing ${packages[*]}"
    as_root apt-get update -qq
    # No package may start a server of its own.
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -qq -y --no-install-recommends \
        "${packages[@]}" >/dev/null
}

# Make uv available, the pinned one where the machine has none.
need_uv() {
    if ! command -v uv >/dev/null; then
        say "installing uv"
        python3 -m venv "$cache/uv"
        "$cache/uv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
            -r "$root/scripts/uv.txt"
        mkdir -p "$cache/bin"
        ln -sf "$cache/uv/bin/uv" "$cache/bin/uv"
    fi
}

# Make the locked environment in .venv.
need_environment() {
    need_uv
    uv sync --quiet --locked --project "$root" "$@"
}
