"""What several folders of tests share: real registries, small artifacts, a search for secrets, the command line."""
