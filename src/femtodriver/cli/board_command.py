"""``femtodrive board``; ``serve_board`` does the work."""

from __future__ import annotations

from femtodriver.cli.command_kind import Command
from femtodriver.options.board_requests import BoardRequest

ABOUT = (
    "The board prints its address, and serves one client after the other until Ctrl-C.\n\n"
    "exit status\n"
    "  0 stopped by Ctrl-C, 2 wrong usage, 3 the address cannot be used or the redis server went away"
)
EXAMPLES = (
    "femtodrive board --listen 127.0.0.1:7007",
    "femtodrive LOOPBACK --runners hw,fasmir,fqir --hardware zynq --address 127.0.0.1:7007   (in another terminal)",
    "femtodrive board --redis 127.0.0.1:6379",
    "femtodrive LOOPBACK --runners hw,fasmir,fqir --hardware redis --address 127.0.0.1:6379   (in another terminal)",
)


def board(request: BoardRequest) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    from femtodriver.cli.serve_board import serve_board  # signals and threads would cost the help text its time

    return serve_board(request)


BOARD = Command(BoardRequest, ABOUT, board, EXAMPLES)
