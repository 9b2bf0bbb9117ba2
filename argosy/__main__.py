"""`python -m argosy` and the `argosy` command."""

from __future__ import annotations

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
        from argosy.launcher.endings import is_full

        if not is_full(error):
            raise
        sys.stderr.write(f"argosy: no room is left: free some space and run again ({error})\n")
        sys.exit(Outage.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)


if __name__ == "__main__":
    main()
