"""``femtodrive completion``; ``completion_script`` does the work."""

from __future__ import annotations

from femtodriver.cli.command_kind import Command
from femtodriver.options.completion_requests import CompletionRequest

ABOUT = (
    "The script is made once, and nothing of ours runs when you press Tab: make it again after an update. It needs\n"
    "the package shtab when it is made (pip install 'open-femtodriver[completion]'). docs/completion.md says more.\n\n"
    "exit status\n"
    "  0 done, 2 wrong usage, or shtab is missing"
)
EXAMPLES = (
    "femtodrive completion bash > ~/.local/share/bash-completion/completions/femtodrive",
    "femtodrive completion zsh > ~/.zfunc/_femtodrive",
    "femtodrive completion fish > ~/.config/fish/completions/femtodrive.fish",
)


def completion(request: CompletionRequest) -> int:
    """Print the script."""
    from femtodriver.cli.completion_script import completion_script

    print(completion_script(request.shell))
    return 0


COMPLETION = Command(CompletionRequest, ABOUT, completion, EXAMPLES)
