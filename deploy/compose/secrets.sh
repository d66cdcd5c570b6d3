#!/bin/sh
# Makes the secrets of compose.yaml, each a file, in a folder beside it:
#
#     sh deploy/compose/secrets.sh [FOLDER]
#
# What is there is kept: another key would make other pseudonyms. Only its owner
# gets into the folder; the files in it can be read by all, because containers
# get each by itself and run as users of their own.
set -eu
folder=${1:-$(dirname "$0")/secrets}
umask 077
mkdir -p "$folder"
chmod 700 "$folder"
cd "$folder"

# random prints 32 bytes in hex.
random() {
    od -An -vtx1 -N32 /dev/urandom | tr -d ' \n'
}

# keep FILE TEXT writes a file that is not there yet.
keep() {
    if [ -s "$1" ]; then
        return
    fi
    printf '%s\n' "$2" >"$1.new"
    chmod 444 "$1.new"
    mv "$1.new" "$1"
    echo "made $folder/$1"
}

keep vm-id.key "$(random)"
keep postgres.password "$(random)"
keep postgres.pgpass "*:*:telemetry:postgres:$(cat postgres.password)"
for login in collector keeper scientist; do
    keep "$login.pgpass" "*:*:telemetry:$login:$(random)"
done
keep scientist.password "$(cut -d: -f5 scientist.pgpass)" # as Grafana reads it
keep dashboard.token "$(random)"
keep grafana.password "$(random)"
