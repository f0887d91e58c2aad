"""The process of the bus: whatever ends it, the daemon goes on and no message is lost."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
import zmq

from acoio.errors import NotReadyError
from daemon.bus.process import BusProcess, open_bus
from daemon.bus.server import Order
from daemon.bus.wire import Draft, numbered
from daemon.client import Subscriber
from daemon.ledger.database import LEDGER_FILE
from daemon.ledger.ledger import Ledger, open_ledger
from daemon.progress import Step
from tests.daemon.bus.attack import ASKING, LISTENING, reset_round
from tests.daemon.conftest import until
from tests.daemon.station import ANY, NOW

_ROOT = Path(__file__).parents[3]
_LONG_S = 60


class _Daemon:
    """A ledger and its bus, as the daemon joins them."""

    def __init__(self, ledger: Ledger, bus: BusProcess) -> None:
        self.ledger, self.bus = ledger, bus
        self.restarts = self.replays = 0
        self.refused: dict[str, int] = {}

    @property
    def process(self) -> psutil.Process | None:
        children = psutil.Process().children()
        found = [each for each in children if "daemon.bus.server" in each.cmdline()]
        return found[0] if found else None

    def say(self, *, go: bool = True, **data: object) -> None:
        number = self.ledger.sequence + 1
        draft = Draft("event", NOW, {"n": number, **data})
        epoch, nonce = self.ledger.epoch, f"n{number}"
        outgoing = (numbered(draft, station="aco", epoch=epoch, sequence=number, nonce=nonce),)
        self.ledger.commit(Step(self.bus.published, outgoing=outgoing), "m")
        if go:
            self.bus.send(outgoing)

    def serve(self, wait_s: float = 0.01) -> None:
        traffic = self.bus.serve(wait_s=wait_s)
        self.restarts += traffic.restarts
        self.replays += traffic.replays
        for reason, count in traffic.refused.items():
            self.refused[reason] = self.refused.get(reason, 0) + count

    def until(self, holds: Callable[[], object]) -> None:
        def turn() -> object:
            self.serve()
            return holds()

        until(turn, deadline_s=_LONG_S)


@contextmanager
def _daemon(store: Path, endpoints: tuple[str, str] = (ANY, ANY)) -> Iterator[_Daemon]:
    with open_ledger(store) as ledger:
        order = Order(
            publish=endpoints[0],
            replay=endpoints[1],
            keys=None,
            credential=None,
            ledger=str((store / LEDGER_FILE).resolve()),
            epoch=ledger.epoch,
            published=ledger.published,
            until=ledger.sequence,
        )
        with open_bus(order) as bus:
            yield _Daemon(ledger, bus)


@contextmanager
def _listener(daemon: _Daemon) -> Iterator[list[int]]:
    """Give what a subscriber hears, from the beginning."""
    heard: list[int] = []
    stop = threading.Event()

    def listen() -> None:
        with Subscriber(*daemon.bus.endpoints, since=0, timeout=0.2) as subscriber:
            while not stop.is_set():
                heard.extend(event["n"] for event in subscriber)

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield heard
    finally:
        stop.set()
        thread.join(_LONG_S)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT, signal.SIGSTOP])
def test_whatever_ends_it_no_message_is_lost_or_doubled(
    tmp_path: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.bus.process._SILENT_S", 4.0)
    with _daemon(tmp_path) as daemon, _listener(daemon) as heard:
        for k in range(30):
            daemon.say()
            daemon.serve()
            if k == 10:
                daemon.until(lambda: len(heard) > 0)
                assert daemon.process is not None
                daemon.process.send_signal(number)
        daemon.until(lambda: daemon.restarts == 1 and daemon.bus.listening)
        daemon.say()
        daemon.until(lambda: len(heard) >= 31 and daemon.bus.published == 31)
    assert heard == list(range(1, 32))


@pytest.mark.parametrize(("manner", "side"), [(ASKING, 1), (LISTENING, 0)])
def test_a_peer_that_ends_libzmq_costs_a_restart_and_nothing_else(
    tmp_path: Path, manner: tuple[bytes, bytes], side: int
) -> None:
    with _daemon(tmp_path) as daemon, _listener(daemon) as heard:
        for _ in range(20):
            daemon.say()
        daemon.until(lambda: len(heard) == 20)

        def attacked() -> bool:
            reset_round(daemon.bus.endpoints[side], manner)
            return daemon.restarts > 0

        daemon.until(attacked)
        daemon.until(lambda: daemon.bus.listening)
        daemon.say()
        daemon.until(lambda: len(heard) >= 21)
    assert heard == list(range(1, 22))


def test_it_goes_on_from_the_last_number_known_to_be_sent(tmp_path: Path) -> None:
    with _daemon(tmp_path) as daemon:
        for _ in range(600):
            daemon.say()
        daemon.until(lambda: daemon.bus.published == 600)
        daemon.say()
        assert daemon.ledger.published == 600
    with _daemon(tmp_path) as daemon:
        daemon.until(lambda: daemon.bus.published == 601)


def test_it_gives_no_message_that_may_not_be_sent_yet(tmp_path: Path) -> None:
    with (
        _daemon(tmp_path) as daemon,
        Subscriber(*daemon.bus.endpoints, since=0, timeout=1) as subscriber,
    ):
        daemon.say()
        daemon.say(go=False)  # committed, and its witness is not written yet
        assert [event["n"] for event in subscriber] == [1]
        daemon.bus.send(daemon.ledger.messages(1, 1))
        assert [event["n"] for event in subscriber] == [2]


def test_it_is_tried_again_ever_more_slowly_and_that_is_a_trouble(tmp_path: Path) -> None:
    with _daemon(tmp_path) as daemon:
        for _ in range(3):
            before = daemon.restarts
            daemon.until(lambda: daemon.process is not None)
            assert daemon.process is not None
            daemon.process.kill()
            daemon.until(lambda: daemon.restarts > before)  # noqa: B023
        assert daemon.bus.trouble == "signal 9 (SIGKILL)"
        assert daemon.bus.subscribers == 0
        daemon.until(lambda: daemon.bus.listening)
        assert daemon.bus.trouble is None


def test_it_ends_with_a_daemon_that_is_killed_even_if_it_is_stopped(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.daemon.bus.test_bus_process import _daemon\n"
        "with _daemon(Path(sys.argv[1])) as d:\n"
        "    print(d.process.pid, *d.bus.endpoints, flush=True)\n"
        "    while True: d.serve(0.1)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=_ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid, publish, replay = parent.stdout.readline().split()
        os.kill(int(pid), signal.SIGTERM)  # the order of ending is the daemon's
        os.kill(int(pid), signal.SIGINT)
        assert psutil.Process(int(pid)).is_running()
        os.kill(int(pid), signal.SIGSTOP)
        parent.kill()
    with _daemon(tmp_path, (publish, replay)) as daemon:
        assert daemon.bus.endpoints == (publish, replay)


def test_a_port_in_use_is_told_by_the_daemon(tmp_path: Path) -> None:
    with (
        _daemon(tmp_path / "a") as daemon,
        pytest.raises(NotReadyError, match=r"bus\.publish: found tcp://.*Address already in"),
        _daemon(tmp_path / "b", (daemon.bus.endpoints[0], ANY)),
    ):
        pass


def test_many_askers_that_never_read_hold_bounded_memory(tmp_path: Path) -> None:
    with _daemon(tmp_path) as daemon, zmq.Context() as context, ExitStack() as stack:
        context.max_sockets = 1_000
        for _ in range(256):
            daemon.say(pad="x" * 3_000)
        assert daemon.process is not None
        before = daemon.process.memory_info().rss
        for _ in range(600):
            asker = stack.enter_context(context.socket(zmq.DEALER))
            asker.linger, asker.rcvhwm, asker.rcvbuf = 0, 1, 4096
            asker.connect(daemon.bus.endpoints[1])
            for _ in range(3):
                asker.send(b'{"since": 0}')
        daemon.until(
            lambda: daemon.refused.get("too_many_peers", 0) >= 200 and daemon.replays > 400
        )
        time.sleep(0.5)
        assert daemon.process.memory_info().rss - before < 250e6  # 600 pages of four are 1.9 GB
        assert daemon.restarts == 0
