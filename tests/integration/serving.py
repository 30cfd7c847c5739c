"""Run an HTTP server beside a test."""

import threading
from contextlib import contextmanager


@contextmanager
def serving(server):
    """Let `server` answer in a thread; yields it."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
