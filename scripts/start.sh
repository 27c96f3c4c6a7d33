#!/bin/sh
# What `npm start -- OPTIONS` runs: builds what is missing, then becomes the watchdog, in
# the directory and with the environment that npm was called with.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
sh "$root/scripts/run.sh" build --if-stale >&2

# npm puts its own directories before the PATH and its own variables into the environment;
# a recovery such as `node my.js start` must find the node that its user means.
PATH=$(printf %s "$PATH" | tr : '\n' | grep -v -e '/node_modules/\.bin$' -e '/node-gyp-bin$' | paste -s -d : -)
directory=${INIT_CWD:-$PWD}
for variable in $(env | sed -n 's/^\(npm_[A-Za-z0-9_]*\)=.*/\1/p') INIT_CWD NODE COLOR; do
  unset "$variable"
done
cd "$directory"
exec "$root/dist/watchdog" "$@"
