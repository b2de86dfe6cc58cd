"""The scripts here run as programs, with their own folder on the path: pytest collects none."""

collect_ignore_glob = ["*.py"]
