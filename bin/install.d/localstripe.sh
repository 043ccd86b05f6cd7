# shellcheck shell=sh
# localstripe, an imitation of Stripe that others made, in a folder of its own: the tests start it as a process, and
# neither it nor what it needs is ever on our path. It comes as source only and is built by the test packages' setuptools.

localstripe() {
    now=$(cat requirements/localstripe.txt bin/install.d/localstripe.sh | cksum)
    [ "$(cat .venv/localstripe/installed 2>/dev/null)" = "$now" ] && return 0
    say "localstripe"
    rm -rf .venv/localstripe
    pip_install --require-hashes --only-binary :all: --no-binary localstripe --no-build-isolation \
        --target .venv/localstripe -r requirements/localstripe.txt
    printf '%s' "$now" >.venv/localstripe/installed
}
