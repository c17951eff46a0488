"""The command line: typer commands, rich tables or `--json`; no decisions."""
