#!/usr/bin/env bash
# distributed 2026.8.0: LocalCluster(dashboard_address=None) still listens on port 8787, and a second cluster warns of it.
#
# Expected: as documented, "Set to None to disable the dashboard": nothing listens there, and two clusters that were both told
#           to have none do not meet.
# Seen:     an HTTP server on port 8787 all the same. The second cluster warns that the port is in use, and takes another.
#           https://github.com/dask/distributed/issues/7207 says the same of earlier versions.
# Why it matters: programmes that each start a cluster of their own, such as two campaigns at a time, warn of something that
#           nobody asked for, and fail where warnings are errors. Ask for a free port of this machine instead: "127.0.0.1:0".
# Output seen: "one: listens on 8787, warnings: 0" and "another beside it: warnings: 1"
#
# Needs Python 3.11 or newer as PYTHON (default python3), and port 8787 free. Exits non-zero when the behaviour has changed.
set -euo pipefail
python=${PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check dask==2026.8.0 distributed==2026.8.0
cat >"$folder/clusters.py" <<'PYTHON'
import socket
import warnings

from distributed import LocalCluster

ASKED = {"n_workers": 1, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}


def listens(port):
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def main():
    if listens(8787):
        raise SystemExit("something listens on port 8787 already")
    with warnings.catch_warnings(record=True) as at_first:
        warnings.simplefilter("always")
        with LocalCluster(**ASKED):
            there = "listens on 8787" if listens(8787) else "nothing listens on 8787"
            told = [f"one: {there}, warnings: {about_ports(at_first)}"]
            with warnings.catch_warnings(record=True) as later:
                warnings.simplefilter("always")
                with LocalCluster(**ASKED):
                    told.append(f"another beside it: warnings: {about_ports(later)}")
    print("\n".join(told))
    raise SystemExit(told != ["one: listens on 8787, warnings: 0", "another beside it: warnings: 1"])


def about_ports(caught):
    return sum("8787" in str(one.message) for one in caught)


if __name__ == "__main__":
    main()
PYTHON
"$folder/venv/bin/python" "$folder/clusters.py" 2>"$folder/log"
