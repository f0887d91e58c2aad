import errno
import os
import socket

import pytest

from acoio.errors import NotReadyError, SetupError, unusable


@pytest.mark.parametrize(
    "number",
    [
        errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE,
        errno.ENOMEM, errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.ESTALE, errno.ETIMEDOUT,
        errno.ENOTCONN, errno.EHOSTDOWN, socket.EAI_AGAIN, 31337,
    ],
)  # fmt: skip
def test_what_may_pass_by_itself_is_tried_again(number: int) -> None:
    error = unusable("store.path: /a", OSError(number, os.strerror(abs(number))))
    assert isinstance(error, NotReadyError)
    assert str(error) == f"store.path: /a: {os.strerror(abs(number))}"


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EACCES, errno.ENOTDIR, socket.EAI_NONAME])
def test_what_stays_until_somebody_mends_it_is_the_operators(number: int) -> None:
    error = unusable("/a", OSError(number, "no"), "a key")
    assert isinstance(error, SetupError)
    assert str(error) == "/a: no, wanted a key"
