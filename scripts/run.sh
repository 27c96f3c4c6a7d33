#!/bin/sh
# Runs one of the TypeScript programs beside this file (`sh scripts/run.sh build`) with
# the Node that is among the project's packages, whatever Node the machine has. The
# packages are installed first where they are missing or older than the lock file.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
program=$1
shift

if ! cmp -s package-lock.json node_modules/.installed-lock.json; then
  echo "watchdog: installing the packages of package-lock.json (once)" >&2
  npm ci --loglevel=error >&2
  cp package-lock.json node_modules/.installed-lock.json
fi

node=node_modules/.bin/node
if [ ! -x "$node" ]; then
  # There is no package with Node for this machine; its own must do, if it is new enough.
  node=node
  "$node" -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 24 ? 0 : 1)' || {
    echo "watchdog: no package brings Node for this machine ($(uname -sm)); install Node 24 or newer and try again" >&2
    exit 1
  }
fi
exec "$node" "scripts/$program.ts" "$@"
