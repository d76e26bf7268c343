#!/bin/sh
# Runs the command it is given, after the scripts that a derived image put into
# /docker-entrypoint.d, in the order of their names.
set -e
for script in /docker-entrypoint.d/*.sh; do
    if [ -x "$script" ]; then
        "$script"
    fi
done
exec "$@"
