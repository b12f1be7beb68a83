#!/bin/sh
# Fetch the source of one Debian package at a pinned version and unpack it, once.
#
#   fetch-source.sh PACKAGE VERSION SHA256-OF-DSC CACHE
#   fetch-source.sh --derive APT-FOLDER FOLDER   only write the derived source lists (for its test)
#
# Afterwards CACHE/PACKAGE-VERSION holds the unpacked source with Debian's patches applied.
# The .dsc names the SHA-256 of every other file, and dpkg-source holds the files against it, so
# the one checksum in this repository pins all of them.
#
# Nothing on the system is changed: apt runs on a folder of its own, with those of the system's
# own entries that serve bookworm main, turned into deb-src. If the .dsc and its tarballs already
# lie in CACHE/download (put there by hand, say, on a machine without a network), apt is not run.
set -eu

suite=bookworm
component=main

fail()
{
    echo "fetch-source: $package $version: $*" >&2
    exit 1
}

# The one-line format: deb [options] URI suite component...
one_line_entries()
{
    awk -v suite="$suite" -v component="$component" '
        $1 != "deb" && $1 != "deb-src" { next }
        {
            options = ""; line = $0
            sub(/#.*/, "", line)
            sub(/^[ \t]*deb(-src)?[ \t]+/, "", line)
            if (match(line, /^\[[^]]*\]/)) {
                options = substr(line, 1, RLENGTH) " "
                line = substr(line, RLENGTH + 1)
            }
            count = split(line, word, " ")
            if (word[2] != suite) next
            for (i = 3; i <= count; i++)
                if (word[i] == component) { print "deb-src " options word[1], suite, component; next }
        }' "$1"
}

# The deb822 format: paragraphs of fields, a field goes on in lines that begin with a blank.
deb822_entries()
{
    awk -v suite="$suite" -v component="$component" '
        function has(list, wanted,    word, count, i) {
            count = split(list, word, " ")
            for (i = 1; i <= count; i++) if (word[i] == wanted) return 1
            return 0
        }
        function finish() {
            if ((has(types, "deb") || has(types, "deb-src")) && has(suites, suite) &&
                has(components, component) && enabled !~ /no|false|off|0/)
                print "Types: deb-src\nSuites: " suite "\nComponents: " component "\n" rest
            types = suites = components = enabled = rest = field = ""
        }
        /^#/ { next }
        /^[ \t]*$/ { finish(); next }
        {
            value = $0
            if ($0 !~ /^[ \t]/) {
                field = tolower(substr($0, 1, index($0, ":") - 1))
                value = substr($0, index($0, ":") + 1)
            }
            if (field == "types") types = types " " value
            else if (field == "suites") suites = suites " " value
            else if (field == "components") components = components " " value
            else if (field == "enabled") enabled = enabled " " tolower(value)
            else rest = rest $0 "\n"
        }
        END { finish() }' "$1"
}

# derive_sources APT-FOLDER OUT: write the private source lists; fail if no entry serves the suite.
derive_sources()
{
    for file in "$1/sources.list" "$1/sources.list.d"/*.list; do
        [ ! -f "$file" ] || one_line_entries "$file" >>"$2/derived.list"
    done
    for file in "$1/sources.list.d"/*.sources; do
        [ ! -f "$file" ] || deb822_entries "$file" >>"$2/derived.sources"
    done
    [ -s "$2/derived.list" ] || [ -s "$2/derived.sources" ]
}

private_apt()
{
    apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/sources" \
        -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" \
        -o Acquire::Languages=none -o Acquire::Retries=3 "$@" >>"$work/log" 2>&1
}

# Leaves the .dsc and its tarballs in $download.
download_source()
{
    command -v apt-get >/dev/null ||
        fail "apt-get is not here; put $dsc and its tarballs into $download"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    chmod 755 "$work" # apt's download user has to reach it
    mkdir -p "$work/sources" "$work/lists/partial" "$work/cache/archives/partial" "$work/files"
    derive_sources /etc/apt "$work/sources" ||
        fail "no apt source of this system serves $suite $component;" \
            "add one, or put $dsc and its tarballs into $download"
    if ! private_apt update ||
        ! (cd "$work/files" && private_apt --download-only source "$package=$version"); then
        cat "$work/log" >&2
        fail "apt-get source failed, see above; is the network there?"
    fi
    mkdir -p "$download"
    cp "$work/files"/* "$download/"
}

if [ "${1:-}" = --derive ] && [ $# -eq 3 ]; then
    derive_sources "$2" "$3"
    exit
fi
[ $# -eq 4 ] || { echo "usage: fetch-source.sh PACKAGE VERSION SHA256-OF-DSC CACHE" >&2; exit 2; }
package=$1 version=$2 dsc_sha256=$3 cache=$4
target=$cache/$package-$version
dsc=${package}_$version.dsc

command -v dpkg-source >/dev/null || fail "dpkg-source is missing; install the package dpkg-dev"
[ ! -d "$target" ] || exit 0
mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9 # several presets may configure at once
[ ! -d "$target" ] || exit 0

download=$cache/download
[ -f "$download/$dsc" ] || download_source
found=$(sha256sum "$download/$dsc" | cut -d ' ' -f 1)
[ "$found" = "$dsc_sha256" ] || {
    rm -f "$download/$dsc"
    fail "$dsc has SHA-256 $found, but $dsc_sha256 is expected; it was deleted, nothing was unpacked"
}
rm -rf "$target.new"
dpkg-source --no-copy -x "$download/$dsc" "$target.new" >"$cache/unpack.log" 2>&1 || {
    cat "$cache/unpack.log" >&2
    fail "the tarballs in $download do not match $dsc; delete that folder and try again"
}
mv "$target.new" "$target"
