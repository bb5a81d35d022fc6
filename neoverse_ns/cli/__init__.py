"""The `ns-neoverse` command and its subcommands, one file each."""
