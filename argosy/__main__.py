"""`python -m argosy` and the `argosy` command."""

from __future__ import annotations

import sys

from argosy.errors import ArgosyError


def main() -> None:
    """Run the command line; an ArgosyError becomes one message and its exit code."""
    from argosy.cli import app

    try:
        app()
    except ArgosyError as error:
        sys.stderr.write(f"argosy: {error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
