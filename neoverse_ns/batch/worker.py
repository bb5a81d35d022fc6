"""A process that does clips one after the other, and ends with the one that started it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from multiprocessing import connection
from types import FrameType
from typing import Any

# Nothing heavy is imported here: a worker shall notice that its parent is gone before it has loaded torch.


class Stopped(BaseException):
    """The worker was told to end; what it was doing is cleaned up on the way out."""


def work(pipe: connection.Connection, threads: int | None) -> None:
    """Take jobs from `pipe` until it is closed or None comes, and send back what became of them.

    Messages to the parent are pairs: ("step", its name), ("result", a `JobResult`), ("error", a sentence).

    Args:
        pipe: Gives pairs of a job and how it is done; see :func:`neoverse_ns.batch.do_job.do_job`.
        threads: For computing; None leaves that to torch.
    """
    # The keyboard's interrupt reaches all processes of a terminal: the parent alone answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        from neoverse_ns.batch.between import prepare_process, tidy_process
        from neoverse_ns.batch.do_job import do_job, reason_of

        prepare_process(threads)
        while (message := pipe.recv()) is not None:
            job, how = message
            answer: tuple[str, Any]
            try:
                answer = ("result", do_job(job, how, lambda step: pipe.send(("step", step))))
            except Exception as error:
                answer = ("error", reason_of(error))
            tidy_process()
            pipe.send(answer)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass
    except Stopped:
        pass


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


def _end_with_parent() -> None:
    """Leave at once when the parent is gone: whoever starts the batch again shall find no clip being worked on."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
