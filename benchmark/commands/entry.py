"""Where the process of a command begins and ends, so that Ctrl-C is answered in between only."""

from __future__ import annotations

import os
import signal
import sys
import threading

PATIENCE = 10.0  # seconds for what is left over, such as a thread that a method's file began


def run_command() -> None:
    """The command line."""
    heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not so under nohup
    if heard:  # Ctrl-C ends the process without a word while everything is imported
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from benchmark.commands.main import main

    if heard:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    status: object = 0
    try:
        main()
    except SystemExit as end:
        status = end.code
    except KeyboardInterrupt:
        status = 130
    # All is written: nothing is left to interrupt. Python now waits for every thread, and libraries
    # for their processes, but not for ever.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    number = status if isinstance(status, int) else int(status is not None)
    last = threading.Timer(PATIENCE, os._exit, (number,))
    last.daemon = True
    last.start()
    sys.exit(number)
