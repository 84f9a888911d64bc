"""Children that do not outlive their parent, even one that was killed and could not tell them."""

import ctypes
import os
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1


def die_with_parent(word: signal.Signals = signal.SIGTERM) -> None:
    """Have this process sent `word` when the one that started it ends, however that ends."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, word, 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), word)
    else:
        threading.Thread(target=_watch, args=(parent, word), daemon=True).start()


def _watch(parent: int, word: signal.Signals) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), word)
