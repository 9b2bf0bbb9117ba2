"""`python -m argosy` and the `argosy` command."""

from __future__ import annotations

import sys

from argosy.errors import ArgosyError


def main() -> None:
    """Run the command line; an ArgosyError becomes one message and its exit code, an interrupt 130."""
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
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)


if __name__ == "__main__":
    main()
