"""The command line called in this process: what `nst` returns and prints."""

import pytest

from nst_tutorial import cli


def invoke(capsys, *arguments) -> tuple[int, str, str]:
    """Exit code, output and errors of `nst` with these words."""
    with pytest.raises(SystemExit) as ended:
        cli.app(list(map(str, arguments)))
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err
