import base64
import http.client
import shutil
import socket
import ssl
import stat
import struct
import subprocess
import urllib.error
import urllib.request
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from acoio.errors import NotReadyError, SetupError
from daemon import options
from daemon.config import load_config
from daemon.metrics import Metrics, serve_metrics
from daemon.metrics.guard import read_password
from daemon.metrics.server import AT_ONCE
from tests.daemon.conftest import until
from tests.daemon.scrapes import ANYWHERE, page_at, pair_in, samples_of, value_of
from tests.detector.sounds import score


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return pair_in(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def guarded(pair: tuple[Path, Path], tmp_path: Path) -> options.Metrics:
    word = tmp_path / "password"
    word.write_text("the sea: is wide\n")
    word.chmod(0o600)
    certificate, key = pair
    return options.Metrics(listen="127.0.0.1:0", certificate=certificate, key=key, password=word)


def _ask(address: str, certificate: Path, header: str | None) -> tuple[int, str]:
    request = urllib.request.Request(f"https://{address}/metrics")
    if header is not None:
        request.add_header("Authorization", header)
    context = ssl.create_default_context(cafile=certificate)
    try:
        with urllib.request.urlopen(request, timeout=60, context=context) as page:
            return page.status, page.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def _basic(said: bytes) -> str:
    return f"Basic {base64.b64encode(said).decode()}"


def test_two_daemons_can_live_in_one_process_but_not_on_one_port() -> None:
    with serve_metrics(Metrics("a", 1.0), ANYWHERE) as served:
        with (
            pytest.raises(
                NotReadyError, match=rf"metrics\.listen: found {served.address}: Address already"
            ),
            serve_metrics(Metrics("b", 1.0), options.Metrics(listen=served.address)),
        ):
            pass
        assert ("kilokai_model_info", "a") in samples_of(page_at(served.address))


def test_a_page_can_be_had_at_an_address_of_version_6() -> None:
    with serve_metrics(Metrics("a", 1.0), options.Metrics(listen="[::1]:0")) as served:
        port = served.address.rpartition(":")[2]
        assert "kilokai_threshold" in page_at(f"[::1]:{port}")


def test_with_a_certificate_and_a_password_only_who_knows_it_is_answered(
    guarded: options.Metrics, pair: tuple[Path, Path]
) -> None:
    with serve_metrics(Metrics("a", 1.0), guarded) as served:
        status, page = _ask(served.address, pair[0], _basic(b"prometheus:the sea: is wide"))
        assert status == 200
        assert "kilokai_threshold 1.0" in page
        for header in (
            None, "", "Basic", "Basic !", "Basic \xff", _basic(b"the sea: is wide"), _basic(b":"),
            _basic(b"x:the sea: is wide\n"), "Bearer the sea: is wide",
        ):  # fmt: skip
            status, page = _ask(served.address, pair[0], header)
            assert status == 401, header
            assert "kilokai" not in page


@pytest.mark.parametrize("tls", [False, True])
def test_clients_that_say_nothing_keep_nobody_waiting(
    tls: bool, guarded: options.Metrics, pair: tuple[Path, Path]
) -> None:
    settings = guarded if tls else ANYWHERE
    with serve_metrics(Metrics("a", 1.0), settings) as served, ExitStack() as stack:
        host, _, port = served.address.rpartition(":")
        for half in (b"", b"GET /", b"\x16\x03\x01", b"\0" * 99, b"\r\n\r\n") * AT_ONCE:
            peer = stack.enter_context(closing(socket.create_connection((host, int(port)), 5)))
            peer.send(half)
        if tls:
            header = _basic(b"x:the sea: is wide")
            assert _ask(served.address, pair[0], header)[0] == 200
        else:
            assert "kilokai_threshold" in page_at(served.address)


def test_of_too_many_clients_the_oldest_is_sent_away() -> None:
    with serve_metrics(Metrics("a", 1.0), ANYWHERE) as served, ExitStack() as stack:
        host, _, port = served.address.rpartition(":")
        peers = [
            stack.enter_context(closing(socket.create_connection((host, int(port)), 5)))
            for _ in range(AT_ONCE + 1)
        ]
        assert peers[0].recv(1) == b""
        peers[1].send(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert peers[1].recv(8) == b"HTTP/1.0"


def test_anywhere_but_here_it_is_guarded_or_said_to_be_open(tmp_path: Path) -> None:
    here = [f"drop.path={tmp_path}/drop", f"store.path={tmp_path}/store"]
    station = [*here, "metrics.listen=0.0.0.0:9108"]
    guard = ["metrics.certificate=a", "metrics.key=b", "metrics.password=c"]
    for wrong in ([], guard[:2], guard[2:]):
        with pytest.raises(SetupError, match=r"metrics\.listen: found 0\.0\.0\.0:9108, wanted 127"):
            load_config(None, [*station, *wrong], {})
    with pytest.raises(SetupError, match=r"metrics\.key: found nothing beside metrics\.cert"):
        load_config(None, [*here, guard[0]], {})
    assert load_config(None, [*station, *guard], {}).metrics.password == Path("c")
    assert load_config(None, [*station, "metrics.open=true"], {}).metrics.open


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_password_is_what_a_person_typed_whatever_mark_an_editor_put_before(
    tmp_path: Path, encoding: str
) -> None:
    word = tmp_path / "password"
    word.write_bytes("sécret \r\nmore\r\n".encode(encoding))
    word.chmod(0o600)
    assert read_password(word) == "sécret ".encode()


def test_what_guards_it_must_be_there_and_be_secret(
    guarded: options.Metrics, tmp_path: Path
) -> None:
    empty, loose, latin = tmp_path / "empty", tmp_path / "loose", tmp_path / "latin"
    for path, mode in ((empty, 0o600), (loose, 0o604), (latin, 0o600)):
        path.write_bytes({empty: b"", loose: b"x", latin: b"\xe9\n"}[path])
        path.chmod(stat.S_IFREG | mode)
    for key, found, why in (
        ("password", tmp_path / "none", "No such file"),
        ("password", empty, "empty, wanted a password"),
        ("password", latin, "latin, line 1: found no UTF-8: .*; save it as UTF-8"),
        ("password", loose, "readable by others, wanted mode 600"),
        ("certificate", tmp_path / "none", "No such file"),
        ("certificate", loose, "wanted a pair in PEM"),
        ("key", guarded.certificate, "wanted a pair in PEM"),
    ):
        wrong = guarded.model_copy(update={key: found})
        with (
            pytest.raises(SetupError, match=rf"^metrics\.\w+: found .*{why}"),
            serve_metrics(Metrics("a", 1.0), wrong),
        ):
            pass


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(
    guarded: options.Metrics, tmp_path: Path
) -> None:
    locked = tmp_path / "locked.key"
    subprocess.run(
        ["openssl", "ec", "-in", str(guarded.key), "-aes256", "-passout", "pass:x", "-out", locked],
        check=True, capture_output=True,
    )  # fmt: skip
    with (
        pytest.raises(SetupError, match="wanted a pair in PEM"),
        serve_metrics(Metrics("a", 1.0), guarded.model_copy(update={"key": locked})),
    ):
        pass


def test_a_new_certificate_and_password_are_taken_up_without_a_pause(
    guarded: options.Metrics, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    certificate, key = (tmp_path / path.name for path in pair)
    for path, new in zip(pair, (certificate, key), strict=True):
        shutil.copy(path, new)
    settings = guarded.model_copy(update={"certificate": certificate, "key": key})
    assert settings.password
    with serve_metrics(Metrics("a", 1.0), settings) as served:
        (tmp_path / "new").mkdir()
        renewed = pair_in(tmp_path / "new")
        renewed[0].replace(certificate)
        settings.password.write_text("a new one\n")
        with pytest.raises(SetupError, match="wanted a pair in PEM"):
            served.renew()  # the key is not there yet
        assert _ask(served.address, pair[0], _basic(b"x:the sea: is wide"))[0] == 200
        renewed[1].replace(key)
        served.renew()
        assert _ask(served.address, certificate, _basic(b"x:a new one"))[0] == 200
        assert _ask(served.address, certificate, _basic(b"x:the sea: is wide"))[0] == 401
        with pytest.raises(urllib.error.URLError, match="certificate verify failed"):
            _ask(served.address, pair[0], _basic(b"x:a new one"))


def _asked(
    address: str, method: str, headers: dict[str, str] | None = None
) -> tuple[int, http.client.HTTPMessage, bytes]:
    with closing(http.client.HTTPConnection(address, timeout=60)) as connection:
        connection.request(method, "/metrics", headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def test_the_strict_reader_of_openmetrics_reads_the_page() -> None:
    metrics = Metrics("a", 1.0)
    metrics.take_scores([score(0.0, -3.0), score(1.0, 0.0), score(2.0, 400.0)])
    with serve_metrics(metrics, ANYWHERE) as served:
        _, headers, page = _asked(served.address, "GET", {"Accept": "application/openmetrics-text"})
    assert headers.get_content_type() == "application/openmetrics-text"
    (scores,) = (
        family
        for family in text_string_to_metric_families(page.decode())  # type: ignore[no-untyped-call]
        if family.name == "kilokai_score_above_threshold_nats"
    )
    counts = {sample.labels["le"]: sample.value for sample in scores.samples}
    assert (counts["-20.0"], counts["-10.0"], counts["300.0"], counts["+Inf"]) == (0, 2, 2, 3)


def test_head_is_answered_as_get_and_other_methods_are_refused(guarded: options.Metrics) -> None:
    with serve_metrics(Metrics("a", 1.0), ANYWHERE) as served:
        for accept in ("", "application/openmetrics-text", "text/html"):
            status, headers, body = _asked(served.address, "HEAD", {"Accept": accept})
            assert (status, body) == (200, b"")
            wanted = _asked(served.address, "GET", {"Accept": accept})[1]
            assert headers["Content-Type"] == wanted["Content-Type"]
            assert int(headers["Content-Length"]) > 1000
        for method in ("POST", "OPTIONS", "DELETE", "TRACE", "BREW"):
            status, headers, _ = _asked(served.address, method)
            assert (status, headers["Allow"]) == (405, "GET, HEAD")
    without_tls = guarded.model_copy(update={"certificate": None, "key": None})
    with serve_metrics(Metrics("a", 1.0), without_tls) as served:
        assert _asked(served.address, "HEAD")[::2] == (401, b"")


_ODD = (
    *(b"GET / HTTP/1.1\r\nAccept: application/openmetrics-text; version=" + odd + b"\r\n\r\n"
      for odd in (b"x", b"", b"1.x", b"\xff", b"-1", b"99999999999999999999", b"1.0.0;escaping=x")),
    b"GET /%ff%00?%ff=%ff&name[]=x;;&name[] HTTP/1.1\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n", b"GET\r\n\r\n", b"\xff\xfe\0\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Length: x\r\nA:\xff\r\n:b\r\n\r\n",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n",
)  # fmt: skip


def test_no_odd_request_prints_anything(capfd: pytest.CaptureFixture[str]) -> None:
    with serve_metrics(Metrics("a", 1.0), ANYWHERE) as served:
        host, _, port = served.address.rpartition(":")
        for request in _ODD:
            with closing(socket.create_connection((host, int(port)), 60)) as peer:
                peer.sendall(request)
                assert peer.recv(4096)
        assert "kilokai_threshold" in page_at(served.address)
    assert capfd.readouterr() == ("", "")


def _reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


# Of a peer that resets just before it, ssl.wrap_socket leaves the socket to the collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_peers_that_reset_at_any_point_of_tls_print_nothing_and_are_counted(
    guarded: options.Metrics, pair: tuple[Path, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    metrics, context = Metrics("a", 1.0), ssl.create_default_context(cafile=str(pair[0]))
    hello = b"\x16\x03\x01\x02\0\x01"
    word = _basic(b"x:the sea: is wide")
    asks = (f"GET / HTTP/1.1\r\nAuthorization: {word}\r\n\r\n".encode(), b"GET /")
    with serve_metrics(metrics, guarded) as served:
        host, _, port = served.address.rpartition(":")
        for sent in (b"", hello, b"GET / HTTP/1.1\r\n\r\n", *asks) * 8:
            peer = socket.create_connection((host, int(port)), 60)
            if sent in asks:
                peer = context.wrap_socket(peer, server_hostname=host)
            peer.sendall(sent)
            _reset(peer)
        until(lambda: value_of(metrics, "kilokai_metrics_clients_lost_total") >= 24, deadline_s=60)
        assert _ask(served.address, pair[0], _basic(b"x:the sea: is wide"))[0] == 200
    assert capfd.readouterr() == ("", "")
