#!/bin/sh
# Sets up what a station needs, or takes it away: `make install-station` and its like call it.
#
#   station.sh software            a release of its own under PREFIX, then PREFIX/current
#   station.sh files               units, user, folders; never a file that somebody may have changed
#   station.sh use RELEASE         PREFIX/current to another release: forward or back
#   station.sh uninstall           all of that away; with PURGE=1 configuration, keys and store too
#
# All may be done twice. With DESTDIR it is laid out there, as for a package, and nothing is run.
set -eu

PREFIX=${PREFIX:-/opt/kilokai}
DESTDIR=${DESTDIR:-}
PYTHON=${PYTHON:-python3}
TORCH_INDEX=${TORCH_INDEX:-}
PURGE=${PURGE:-0}
here=$(cd "$(dirname "$0")" && pwd)
source=$(dirname "$here")

home=$DESTDIR$PREFIX
lib=$DESTDIR/usr/local/lib
command=$DESTDIR/usr/local/bin/kilokai
conf=$DESTDIR/etc/kilokai
units='kilokai.target kilokai.service kilokai-retrain.service kilokai-retrain.timer'
mark=.release # of a release that is whole

say() { printf 'station: %s\n' "$*"; }
fail() { printf 'station: %s\n' "$*" >&2; exit 78; }

# Whether there is a systemd to be told; not where files are only laid out.
is_live() { [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; }

release_name() {
    version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$source/daemon/__init__.py")
    commit=
    if [ -e "$source/.git" ]; then
        commit=$(git -C "$source" describe --always --exclude '*' \
            --dirty="-$(date -u +%Y%m%dT%H%M%S)" 2>/dev/null || true)
    fi
    printf '%s' "$version${commit:+-$commit}"
}

software() {
    release=${RELEASE:-$(release_name)}
    if [ -e "$home/$release/$mark" ]; then
        say "$PREFIX/$release is there already"
    else
        build "$release"
    fi
    use "$release"
}

build() {
    new=$home/$1
    prefix=$("$PYTHON" -c 'import sys; print(sys.base_prefix)')
    case $prefix/ in
    /home/* | /root/*) fail "PYTHON: found $prefix, wanted one outside of homes: the service sees none" ;;
    esac
    mkdir -p "$home"
    rm -f "$new/$mark"
    "$PYTHON" -m venv --clear "$new"
    [ -z "$TORCH_INDEX" ] || pip_install --index-url "$TORCH_INDEX" torch
    pip_install "$source"
    # A script's first line names its interpreter: where it will lie, not where it is laid out.
    [ -z "$DESTDIR" ] || sed -i "1s|^#!$DESTDIR|#!|" "$new"/bin/kilokai
    mkdir -p "$new/share/doc/kilokai"
    cp "$source"/docs/*.md "$new/share/doc/kilokai/"
    touch "$new/$mark"
    say "made $PREFIX/$1"
}

pip_install() {
    "$new/bin/python" -m pip install --quiet --disable-pip-version-check \
        -c "$source/constraints.txt" "$@"
}

use() {
    [ -e "$home/$1/$mark" ] || fail "$PREFIX/$1: found no release, wanted one of: $(releases)"
    before=$(readlink "$home/current" || true)
    ln -s "$1" "$home/.current"
    mv -T "$home/.current" "$home/current"
    say "$PREFIX/current is $1${before:+, was $before}"
    if is_live; then say 'systemctl restart kilokai makes the daemon use it'; fi
}

releases() {
    for each in "$home"/*/"$mark"; do
        [ ! -e "$each" ] || basename "$(dirname "$each")"
    done | tr '\n' ' '
}

files() {
    install -d "$lib/systemd/system" "$lib/sysusers.d" "$(dirname "$command")"
    for unit in $units; do
        if [ -e "$here/$unit.in" ]; then from=$here/$unit.in; else from=$here/$unit; fi
        sed "s|@PREFIX@|$PREFIX|g" "$from" | put "$lib/systemd/system/$unit"
    done
    put "$lib/sysusers.d/kilokai.conf" <"$here/kilokai.sysusers"
    if is_ours || [ ! -e "$command" ] && [ ! -L "$command" ]; then
        ln -sfn "$PREFIX/current/bin/kilokai" "$command"
    else
        say "$command is not ours: left as it is"
    fi
    install -d -m 0755 "$conf" "$conf/keys" "$conf/keys/clients"
    install -d -m 0700 "$conf/credentials"
    if [ -e "$conf/kilokai.toml" ]; then
        say 'kilokai.toml left as it is'
    else
        put "$conf/kilokai.toml" <"$source/kilokai.example.toml"
    fi
    is_live || return 0
    systemd-sysusers "$lib/sysusers.d/kilokai.conf"
    systemctl daemon-reload
    say 'now: edit /etc/kilokai/kilokai.toml, then systemctl enable --now kilokai.target'
}

# Writes a file whole or not at all.
put() {
    cat >"$1.new"
    chmod 0644 "$1.new"
    mv "$1.new" "$1"
}

is_ours() { [ "$(readlink "$command" || true)" = "$PREFIX/current/bin/kilokai" ]; }

uninstall() {
    if is_live; then
        systemctl disable --now kilokai.target kilokai.service \
            kilokai-retrain.timer kilokai-retrain.service 2>/dev/null || true
    fi
    for unit in $units; do rm -f "$lib/systemd/system/$unit"; done
    rm -f "$lib/sysusers.d/kilokai.conf"
    if is_ours; then rm -f "$command"; fi
    for each in "$home"/*/"$mark"; do
        [ ! -e "$each" ] || rm -rf "$(dirname "$each")"
    done
    rm -f "$home/current"
    for each in "$home" "$lib/systemd/system" "$lib/systemd" "$lib/sysusers.d"; do
        rmdir "$each" 2>/dev/null || true
    done
    if is_live; then systemctl daemon-reload; fi
    leave_or_purge
}

leave_or_purge() {
    if [ "$PURGE" != 1 ]; then
        say 'left: /etc/kilokai, /var/lib/kilokai and the user kilokai (PURGE=1 removes the first two)'
        return
    fi
    rm -rf "$conf" "$DESTDIR/var/lib/kilokai" "$DESTDIR/var/cache/kilokai"
    say 'removed /etc/kilokai and /var/lib/kilokai; left: the user kilokai, drop-ins, stores elsewhere'
}

case $PREFIX in
/*[!A-Za-z0-9/._-]* | [!/]* | */) fail "PREFIX: found $PREFIX, wanted a plain absolute path" ;;
esac
case ${1:-} in
software | files | uninstall) "$1" ;;
use) use "${2:?wanted a release: one of $(releases)}" ;;
*) fail "found '${1:-}', wanted software, files, use RELEASE or uninstall" ;;
esac
