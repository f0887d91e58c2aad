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
here=$(cd "$(dirname "$0")" && pwd -P)
source=$(dirname "$here")

home=$DESTDIR$PREFIX
lib=$DESTDIR/usr/local/lib
command=$DESTDIR/usr/local/bin/kilokai
conf=$DESTDIR/etc/kilokai
units='kilokai.target kilokai.service kilokai-retrain.service kilokai-retrain.timer'
mark=.release # of a release that is whole
begun=.begun   # of one that we are making, or were when we were stopped
export PYTHONSAFEPATH=1 # root imports nothing from where it stands

say() { printf 'station: %s\n' "$*"; }
fail() { printf 'station: %s\n' "$*" >&2; exit 78; }

# Whether there is a systemd to be told; not where files are only laid out.
is_live() { [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; }

release_name() {
    version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$source/daemon/__init__.py")
    commit=
    if [ -e "$source/.git" ]; then
        commit=$(commit_name) ||
            fail "$source: git cannot tell which commit it is, wanted one, or RELEASE=NAME"
    fi
    printf '%s' "$version${commit:+-$commit}"
}

# Root may install what another user has checked out: it runs these files as it is. git would write
# the index anew, which is that user's: it gets a copy, of the same age, by which git knows what
# to look at.
commit_name() {
    index=$(mktemp)
    in_source() { git -C "$source" -c safe.directory="$source" "$@"; }
    told=0
    cp -p "$(in_source rev-parse --path-format=absolute --git-path index)" "$index" &&
        GIT_INDEX_FILE=$index in_source describe --always --exclude '*' \
            --dirty="-$(date -u +%Y%m%dT%H%M%S)" || told=$?
    rm -f "$index"
    return "$told"
}

software() {
    release=${RELEASE:-$(release_name)}
    check_name "$release"
    if [ -e "$home/$release/$mark" ]; then
        say "$home/$release is there already"
    else
        build "$release"
    fi
    use "$release"
}

# A release is a folder of PREFIX itself: what is under another name may be anybody's.
check_name() {
    case $1 in
    current | [!A-Za-z0-9]* | *[!A-Za-z0-9._+-]* | '')
        fail "RELEASE: found '$1', wanted a plain name, as one of: $(releases)" ;;
    esac
    [ ! -L "$home/$1" ] || fail "$home/$1: found a link, wanted one of: $(releases)"
}

build() {
    new=$home/$1
    prefix=$("$PYTHON" -c 'import sys; print(sys.base_prefix)')
    case $prefix/ in
    /home/* | /root/*) fail "PYTHON: found $prefix, wanted one outside of homes, as PYTHON=/usr/bin/python3:" \
            "the service sees no homes" ;;
    esac
    clear_place
    "$PYTHON" -m venv "$new"
    [ -z "$TORCH_INDEX" ] || pip_install --index-url "$TORCH_INDEX" torch
    pip_install "$source"
    # A script's first line names its interpreter: where it will lie, not where it is laid out.
    [ -z "$DESTDIR" ] || sed -i "1s|^#!$DESTDIR|#!|" "$new"/bin/kilokai
    mkdir -p "$new/share/doc/kilokai"
    cp "$source"/docs/*.md "$new/share/doc/kilokai/"
    touch "$new/$mark"
    rm "$new/$begun"
    say "made $home/$1"
}

# An empty folder to make a release in; what lies there already goes only if we began it.
clear_place() {
    if [ -d "$new" ]; then rmdir --ignore-fail-on-non-empty "$new"; fi
    if [ -e "$new" ] && [ ! -e "$new/$begun" ]; then
        fail "$new: found something that is no release of ours, wanted nothing there"
    fi
    mkdir -p "$new"
    touch "$new/$begun"
    find "$new" -mindepth 1 -maxdepth 1 ! -name "$begun" -exec rm -rf {} +
}

pip_install() {
    "$new/bin/python" -m pip install --quiet --disable-pip-version-check \
        -c "$source/constraints.txt" "$@"
}

use() {
    check_name "$1"
    [ -e "$home/$1/$mark" ] || fail "$home/$1: found no release, wanted one of: $(releases)"
    before=$(readlink "$home/current" || true)
    ln -sfT "$1" "$home/.current" # one may lie there from a run that was stopped
    mv -T "$home/.current" "$home/current"
    [ "$(readlink "$home/current")" = "$1" ] || fail "$home/current is not $1"
    say "$home/current is $1${before:+, was $before}"
    if is_live; then say 'systemctl restart kilokai makes the daemon use it'; fi
}

releases() {
    for each in "$home"/*/"$mark"; do
        if [ -e "$each" ] && [ ! -L "$(dirname "$each")" ]; then basename "$(dirname "$each")"; fi
    done | tr '\n' ' '
}

files() {
    install -d "$lib/systemd/system" "$lib/sysusers.d" "$(dirname "$command")"
    for unit in $units; do
        if [ -e "$here/$unit.in" ]; then from=$here/$unit.in; else from=$here/$unit; fi
        put "$from" "$lib/systemd/system/$unit"
    done
    put "$here/kilokai.sysusers" "$lib/sysusers.d/kilokai.conf"
    if is_ours || { [ ! -e "$command" ] && [ ! -L "$command" ]; }; then
        ln -sfn "$PREFIX/current/bin/kilokai" "$command"
    else
        say "$command is not ours: left as it is"
    fi
    install -d -m 0755 "$conf" "$conf/keys" "$conf/keys/clients"
    install -d -m 0700 "$conf/credentials"
    if [ -e "$conf/kilokai.toml" ]; then
        say 'kilokai.toml left as it is'
    else
        put "$source/kilokai.example.toml" "$conf/kilokai.toml"
    fi
    is_live || return 0
    systemd-sysusers "$lib/sysusers.d/kilokai.conf"
    systemctl daemon-reload
    say 'now: edit /etc/kilokai/kilokai.toml, then systemctl enable --now kilokai.target'
}

# Copies a file, with PREFIX in it, whole or not at all.
put() {
    if sed "s|@PREFIX@|$PREFIX|g" "$1" >"$2.new" && chmod 0644 "$2.new" && mv "$2.new" "$2"; then
        return
    fi
    rm -f "$2.new"
    fail "$2 could not be written: left as it was"
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
    rm -f "$home/current" "$home/.current"
    for each in "$home"/*/"$mark" "$home"/*/"$begun"; do
        [ ! -e "$each" ] || rm -rf "$(dirname "$each")"
    done
    for each in "$home" "$lib/systemd/system" "$lib/systemd" "$lib/sysusers.d"; do
        rmdir "$each" 2>/dev/null || true
    done
    if is_live; then systemctl daemon-reload; fi
    leave_or_purge
}

leave_or_purge() {
    if [ "$PURGE" != 1 ]; then
        say "left: $conf, $DESTDIR/var/lib/kilokai and the user kilokai (PURGE=1 removes the first two)"
        return
    fi
    rm -rf "$conf" "$DESTDIR/var/lib/kilokai" "$DESTDIR/var/cache/kilokai"
    say "removed $conf and $DESTDIR/var/lib/kilokai;" \
        'left: the user kilokai, drop-ins, stores elsewhere'
}

case $PREFIX in
/*[!A-Za-z0-9/._-]* | [!/]* | */) fail "PREFIX: found $PREFIX, wanted a plain absolute path" ;;
esac
case ${1:-} in
software | files | uninstall) "$1" ;;
use) use "${2:?wanted a release: one of $(releases)}" ;;
*) fail "found '${1:-}', wanted software, files, use RELEASE or uninstall" ;;
esac
