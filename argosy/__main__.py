"""`python -m argosy` and the `argosy` command."""

from __future__ import annotations

import os
import signal
import sys

from argosy.errors import ArgosyError, Outage


def main() -> None:
    """Run the command line; what ends it becomes one message and an exit code."""
    import click

    from argosy.cli import app

    try:
        sys.exit(app.main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except ArgosyError as error:
        sys.stderr.write(f"argosy: {error}\n")
        sys.exit(error.exit_code)
    except OSError as error:
        sys.exit(_end_of(error))
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)


def _end_of(error: OSError) -> int:
    """Return the exit code for a reader that went away and for a full disk; whatever else it is, raise it."""
    from argosy.launcher.endings import is_full

    if isinstance(error, BrokenPipeError):
        # Python would flush into the closed pipe once more as it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    if not is_full(error):
        raise error
    sys.stderr.write(f"argosy: {error}; there is no room: free some space and run again\n")
    return Outage.exit_code


if __name__ == "__main__":
    main()
