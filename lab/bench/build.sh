# For the benches, which read it in: build PRESET [TARGET...], and what that says is shown only if it
# fails. Takes its time the first time, and says so.
# shellcheck shell=sh
build()
{
    [ -f "build/$1/build.ninja" ] ||
        echo "${0##*/}: building build/$1; the first time takes a while" >&2
    build_log=$(mktemp)
    build_preset=$1
    shift
    if ! { cmake --preset "$build_preset" && ninja -C "build/$build_preset" "$@"; } >"$build_log" 2>&1; then
        cat "$build_log" >&2
        rm -f "$build_log"
        echo "${0##*/}: build/$build_preset cannot be built, see above" >&2
        exit 1
    fi
    rm -f "$build_log"
}
