#!/bin/sh
# Makes an environment for each peer beside this script, as its pinned requirements say.
#   [PYTHON=python3.12] sh benchmarks/peers/make_environments.sh
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3.12}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 12))' ||
    { echo "Python 3.12 or newer is needed: PYTHON=python3.12 sh $0" >&2; exit 2; }
for requirements in requirements/*.txt; do
    peer=$(basename "$requirements" .txt)
    "$python" -m venv ".venv-$peer"
    ".venv-$peer/bin/python" -m pip install --quiet --disable-pip-version-check --prefer-binary -r "$requirements"
    echo "$peer: made"
done
