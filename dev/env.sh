# shellcheck shell=bash
# Sourced by ./demo, ./test and the scripts of dev/: where things go, all outside the clone.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/zi2
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-${ZI2_TARGET:-$cache/target}}
tools=$cache/tools
PATH=$tools/bin:$PATH
# shellcheck disable=SC1091 # rustup's, where there is one
[[ -e $HOME/.cargo/env ]] && . "$HOME/.cargo/env"

# tool NAME VERSION: a cargo subcommand of exactly this version, built when it is not there.
tool() {
    local name=$1 version=$2
    [[ $("$tools/bin/$name" --version 2>/dev/null) == "$name $version" ]] && return
    echo "building $name $version (once)"
    # --debug: it builds in half the time, and speed does not matter here.
    CARGO_TARGET_DIR=$cache/tools-target \
        cargo install --quiet --locked --debug --root "$tools" "$name@$version"
    rm -rf "$cache/tools-target"
}
