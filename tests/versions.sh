#!/usr/bin/env bash
# Runs the suite on the oldest versions that requirements.txt admits, and on
# the newest: tests/versions.sh [python for the oldest] [python for the newest]
set -euo pipefail
cd "$(dirname "$0")/.."
oldest=${1:-python3.9}
newest=${2:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

suite() {   # name, python, extra requirements
    "$2" -m venv "$folder/$1"
    "$folder/$1/bin/pip" install -q -r requirements.txt "${@:3}"
    "$folder/$1/bin/python" -c "import sys, numpy, tensorflow as tf
print('== Python', sys.version.split()[0], 'NumPy', numpy.__version__,
      'TensorFlow', tf.__version__)" 2>/dev/null
    "$folder/$1/bin/python" -m pytest -q -p no:cacheprovider
}

suite oldest "$oldest" 'numpy==1.25.*' 'tensorflow==2.15.*'
suite newest "$newest"
