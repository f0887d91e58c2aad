"""What `systemd/station.sh` lays out and takes away, in a folder."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).parents[2] / "systemd" / "station.sh"
_FILES = {
    "etc/kilokai": "0755",
    "etc/kilokai/credentials": "0700",
    "etc/kilokai/keys": "0755",
    "etc/kilokai/keys/clients": "0755",
    "etc/kilokai/kilokai.toml": "0644",
    "opt/kilokai/current": "-> 2.0",
    "usr/local/bin/kilokai": "-> /opt/kilokai/current/bin/kilokai",
    "usr/local/lib/systemd/system/kilokai-retrain.service": "0644",
    "usr/local/lib/systemd/system/kilokai-retrain.timer": "0644",
    "usr/local/lib/systemd/system/kilokai.service": "0644",
    "usr/local/lib/systemd/system/kilokai.target": "0644",
    "usr/local/lib/sysusers.d/kilokai.conf": "0644",
}

pytestmark = pytest.mark.skipif(not shutil.which("install"), reason="no install on this machine")


def _station(dest: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    given = {"PATH": os.environ["PATH"], "DESTDIR": str(dest), **environ}
    return subprocess.run([_SCRIPT, *words], env=given, capture_output=True, text=True, check=False)


def _done(dest: Path, *words: str, **environ: str) -> str:
    done = _station(dest, *words, **environ)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def _release(dest: Path, name: str) -> Path:
    home = dest / "opt/kilokai" / name
    (home / "bin").mkdir(parents=True)
    (home / ".release").touch()
    return home


def _python(dest: Path, does: str) -> str:
    path = dest / "python"
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(0o755)
    return str(path)


def _all(dest: Path) -> set[str]:
    return {str(path.relative_to(dest)) for path in dest.rglob("*")}


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    for name in ("1.0", "2.0"):
        _release(tmp_path, name)
        _done(tmp_path, "use", name)
    _done(tmp_path, "files")
    return tmp_path


def _as_told(path: Path) -> str:
    if path.is_symlink():
        return f"-> {path.readlink()}"
    return f"{stat.S_IMODE(path.stat().st_mode):04o}"


def test_it_lays_out_these_files_and_no_others(dest: Path) -> None:
    parents = {str(parent) for name in _FILES for parent in Path(name).parents}
    releases = {name for name in _all(dest) if name.startswith("opt/kilokai/") and ".0" in name}
    assert _all(dest) - releases - parents == set(_FILES) - parents
    assert {name: _as_told(dest / name) for name in _FILES} == _FILES


def test_a_second_time_changes_nothing_of_the_operators(dest: Path) -> None:
    toml, key = dest / "etc/kilokai/kilokai.toml", dest / "etc/kilokai/credentials/server.secret"
    toml.write_text("# mine\n")
    key.write_text("secret")
    before = _all(dest)
    assert _done(dest, "files") == "station: kilokai.toml left as it is\n"
    assert _all(dest) == before
    assert (toml.read_text(), key.read_text()) == ("# mine\n", "secret")


def test_a_second_time_mends_units_that_were_changed(dest: Path) -> None:
    unit = dest / "usr/local/lib/systemd/system/kilokai.service"
    wanted = unit.read_text()
    unit.write_text("[Service]\n")
    _done(dest, "files")
    assert unit.read_text() == wanted
    assert "@" not in wanted.replace("@system-service", "").replace("@privileged", "").replace(
        "@resources", ""
    )


def test_a_command_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "usr/local/bin/kilokai"
    other.parent.mkdir(parents=True)
    other.write_text("not ours")
    assert "not ours" in _done(tmp_path, "files")
    _done(tmp_path, "uninstall")
    assert other.read_text() == "not ours"


def test_uninstalled_it_leaves_configuration_and_store_and_says_so(dest: Path) -> None:
    (dest / "var/lib/kilokai").mkdir(parents=True)
    (dest / "var/lib/kilokai/ledger.sqlite3").touch()
    kept = {name for name in _all(dest) if name.startswith(("etc", "var"))}
    assert f"left: {dest}/etc/kilokai, {dest}/var/lib/kilokai" in _done(dest, "uninstall")
    left = {
        name for name in _all(dest) if (dest / name).is_file() or name.startswith(("etc", "var"))
    }
    assert left == kept
    assert _done(dest, "uninstall").startswith(
        f"station: left: {dest}/etc/kilokai"
    )  # nothing to do
    assert left == {name for name in _all(dest) if name in left}


def test_purged_it_leaves_no_file(dest: Path) -> None:
    (dest / "var/lib/kilokai").mkdir(parents=True)
    (dest / "var/lib/kilokai/ledger.sqlite3").touch()
    _done(dest, "uninstall", PURGE="1")
    assert [name for name in _all(dest) if not (dest / name).is_dir()] == []
    assert not (dest / "var/lib/kilokai").exists()


def test_what_is_no_release_under_the_prefix_is_left(dest: Path) -> None:
    (dest / "opt/kilokai/notes").mkdir()
    (dest / "opt/kilokai/notes/mine").touch()
    _done(dest, "uninstall", PURGE="1")
    assert (dest / "opt/kilokai/notes/mine").exists()


def test_a_release_that_is_not_there_or_not_whole_is_refused_by_name(dest: Path) -> None:
    (dest / "opt/kilokai/3.0").mkdir()
    for name in ("3.0", "4.0"):
        done = _station(dest, "use", name)
        assert done.returncode == 78
        assert f"/opt/kilokai/{name}: found no release, wanted one of: 1.0 2.0" in done.stderr
    assert (dest / "opt/kilokai/current").readlink() == Path("2.0")


@pytest.mark.parametrize(
    "name", ["current", ".", "..", "../kilokai/1.0", "1.0/", "a b", "-f", "link"]
)
def test_what_is_no_plain_name_of_a_release_is_refused(name: str, dest: Path) -> None:
    (dest / "opt/kilokai/link").symlink_to("1.0")
    python = _python(dest, "echo /usr")
    before = _all(dest)
    for done in (
        _station(dest, "use", name),
        _station(dest, "software", RELEASE=name, PYTHON=python),
    ):
        assert done.returncode == 78
        assert "wanted" in done.stderr
        assert done.stderr.endswith("one of: 1.0 2.0 \n")
    assert _all(dest) == before
    assert (dest / "opt/kilokai/current").readlink() == Path("2.0")


def test_a_switch_that_was_interrupted_is_made_again(dest: Path) -> None:
    (dest / "opt/kilokai/.current").symlink_to("2.0")
    before = _all(dest / "opt/kilokai/2.0")
    _done(dest, "use", "1.0")
    assert (dest / "opt/kilokai/current").readlink() == Path("1.0")
    assert _all(dest / "opt/kilokai/2.0") == before
    assert not (dest / "opt/kilokai/.current").is_symlink()


def test_a_folder_that_we_did_not_begin_is_never_emptied(dest: Path) -> None:
    mine = dest / "opt/kilokai/3.0/mine"
    mine.parent.mkdir()
    mine.touch()
    done = _station(dest, "software", RELEASE="3.0", PYTHON=_python(dest, "echo /usr"))
    assert (done.returncode, "3.0: found something that is no" in done.stderr) == (78, True)
    assert mine.exists()


def test_a_release_that_was_begun_is_begun_anew_and_uninstalled(dest: Path) -> None:
    left = dest / "opt/kilokai/3.0/left"
    left.parent.mkdir()
    for path in (left, left.with_name(".begun")):
        path.touch()
    python = _python(dest, "echo /usr; [ $1 = -c ]")  # it cannot make a venv
    assert _station(dest, "software", RELEASE="3.0", PYTHON=python).returncode == 1
    assert [path.name for path in left.parent.iterdir()] == [".begun"]
    _done(dest, "uninstall")
    assert not left.parent.exists()


def test_a_unit_that_cannot_be_written_is_left_as_it_was(dest: Path) -> None:
    unit = dest / "usr/local/lib/systemd/system/kilokai.target"
    unit.write_text("[Unit]\n")
    (dest / "bin").mkdir()
    (dest / "bin/sed").symlink_to("/bin/false")
    done = _station(dest, "files", PATH=f"{dest}/bin:{os.environ['PATH']}")
    assert (done.returncode, "left as it was" in done.stderr) == (78, True)
    assert unit.read_text() == "[Unit]\n"
    assert not unit.with_name("kilokai.target.new").exists()


def test_a_release_that_is_whole_is_not_made_again(dest: Path) -> None:
    said = _done(dest, "software", RELEASE="1.0", PYTHON="/bin/false")
    assert "/opt/kilokai/1.0 is there already" in said
    assert (dest / "opt/kilokai/current").readlink() == Path("1.0")


def test_a_release_that_cannot_be_made_leaves_the_one_in_use(dest: Path) -> None:
    assert _station(dest, "software", RELEASE="3.0", PYTHON="/bin/false").returncode == 1
    assert (dest / "opt/kilokai/current").readlink() == Path("2.0")
    assert "found no release" in _station(dest, "use", "3.0").stderr


def test_a_python_that_the_service_would_not_see_is_refused(dest: Path) -> None:
    python = _python(dest, "echo /home/alice/.pyenv/3.11")
    done = _station(dest, "software", RELEASE="3.0", PYTHON=python)
    assert done.returncode == 78
    assert "PYTHON: found /home/alice/.pyenv/3.11, wanted one outside of homes" in done.stderr
    assert not (dest / "opt/kilokai/3.0").exists()


def test_the_prefix_may_lie_elsewhere_but_is_a_plain_path(tmp_path: Path) -> None:
    _done(tmp_path, "files", PREFIX="/srv/k-1.0")
    unit = (tmp_path / "usr/local/lib/systemd/system/kilokai.service").read_text()
    assert "ExecStart=/srv/k-1.0/current/bin/kilokai run" in unit
    for prefix in ("opt", "/opt/a b", "/opt/", "/opt/%i"):
        assert _station(tmp_path, "files", PREFIX=prefix).returncode == 78


def test_a_checkout_that_git_cannot_name_is_no_release(tmp_path: Path) -> None:
    """Else each version's second installation would be the first one."""
    source = tmp_path / "source"
    (source / "daemon").mkdir(parents=True)
    shutil.copytree(_SCRIPT.parent, source / "systemd")
    (source / "daemon" / "__init__.py").write_text('__version__ = "2.0"\n')
    (source / ".git").mkdir()
    given = {"PATH": os.environ["PATH"], "DESTDIR": str(tmp_path / "dest")}
    done = subprocess.run(
        [source / "systemd" / "station.sh", "software"],
        env=given, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 78
    assert "git cannot tell which commit it is" in done.stderr
    assert not (tmp_path / "dest" / "opt").exists()
