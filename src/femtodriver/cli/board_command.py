"""``femtodrive board``; ``serve_board`` does the work."""

from __future__ import annotations

from femtodriver.cli.command_kind import Command
from femtodriver.options.board_requests import BoardRequest

EPILOG = (
    "In another terminal, with the address that the board printed:\n"
    "  femtodrive MODEL --runners hw,fasmir,fqir --hardware zynq --zynq-host 127.0.0.1:7007\n"
    "  femtodrive MODEL --runners hw,fasmir,fqir --hardware redis --zynq-host 127.0.0.1:6379\n"
    "exit status: 0 stopped by Ctrl-C, 2 wrong usage, 3 the address cannot be used or the redis server went away"
)


def board(request: BoardRequest) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    from femtodriver.cli.serve_board import serve_board  # signals and threads would cost the help text its time

    return serve_board(request)


BOARD = Command(BoardRequest, EPILOG, board)
