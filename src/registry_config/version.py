"""The version, in the one place from which the package, the command line, the log and a release take it."""

VERSION = "0.1.0"
