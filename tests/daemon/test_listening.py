"""An address that is in use for a moment, for good, or never to be had."""

import socket
from contextlib import closing
from pathlib import Path
from threading import Timer

import pytest
import zmq

from acoio.errors import NotReadyError, SetupError
from daemon.listening import listening
from daemon.metrics.server import Server


@pytest.fixture
def held() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def _page(address: str, port: int) -> Server:
    return Server(address, port, lambda _environ, _start: [], lambda: None, lambda: None)


@pytest.mark.parametrize("kind", ["bus", "metrics"])
def test_an_address_that_another_process_is_leaving_is_waited_for(
    held: socket.socket, kind: str
) -> None:
    port = held.getsockname()[1]
    Timer(0.3, held.close).start()
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
        if kind == "bus":
            listening("bus.replay", "tcp", lambda: router.bind(f"tcp://127.0.0.1:{port}"))
        else:
            server = listening("metrics.listen", "it", lambda: _page("127.0.0.1", port))
            assert server.server_port == port
            server.server_close()


def test_one_that_is_kept_may_be_free_at_the_next_start(held: socket.socket) -> None:
    port = held.getsockname()[1]
    wanted = rf"metrics\.listen: found 127\.0\.0\.1:{port}: Address already in use"
    with closing(held), pytest.raises(NotReadyError, match=wanted):
        listening("metrics.listen", f"127.0.0.1:{port}", lambda: _page("127.0.0.1", port))


def test_an_address_that_the_machine_does_not_have_yet_may_come() -> None:
    with (
        zmq.Context() as context,
        context.socket(zmq.ROUTER) as router,
        pytest.raises(NotReadyError, match="Cannot assign requested address"),
    ):
        listening("bus.replay", "it", lambda: router.bind("tcp://192.0.2.7:5557"))


def test_a_place_where_nobody_can_listen_is_the_operators_fault(tmp_path: Path) -> None:
    with (
        zmq.Context() as context,
        context.socket(zmq.ROUTER) as router,
        pytest.raises(SetupError, match="No such file or directory"),
    ):
        listening("bus.replay", "it", lambda: router.bind(f"ipc://{tmp_path}/none/replay"))
