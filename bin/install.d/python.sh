# shellcheck shell=sh
# A virtual environment of this clone's own, with the packages of one lock file, each checked by its hash.

# The first interpreter that is new enough; $PYTHON goes first.
find_python() {
    for python in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if command -v "$python" >/dev/null 2>&1 &&
            "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            return 0
        fi
    done
    python=
    return 1
}

has() { "$python" -c "import $1" >/dev/null 2>&1; }

# .venv is sound when it runs and was made for this very folder: scripts carry its path.
venv_is_sound() {
    [ -f .venv/made-in ] && [ "$(cat .venv/made-in)" = "$PWD" ] && .venv/bin/python -c '' 2>/dev/null
}

python_wants() {
    venv_is_sound && return 0
    if ! find_python; then
        want python3
        want python3-venv
    elif ! has ensurepip && ! has pip && ! command -v uv >/dev/null 2>&1; then
        case $python in
            python3.*) want "$python-venv" ;;
            *) want python3-venv ;;
        esac
    fi
}

# How packages get in, in the order of what most people have: the venv's own pip, the pip outside, uv.
make_venv() {
    find_python || { echo "Counterfoil needs Python 3.11 or newer." >&2; exit 2; }
    rm -rf .venv
    if has ensurepip; then
        "$python" -m venv .venv
    elif has pip; then
        "$python" -m venv --without-pip .venv
    else
        uv venv --quiet --python "$python" .venv
    fi
    printf '%s' "$PWD" >.venv/made-in
}

pip_install() {
    if .venv/bin/python -c 'import pip' 2>/dev/null; then
        set -- .venv/bin/python -m pip install -qq --disable-pip-version-check --no-warn-script-location "$@"
    elif find_python && has pip; then
        set -- "$python" -m pip --python .venv/bin/python install -qq --disable-pip-version-check "$@"
    else
        set -- uv pip install --quiet --python .venv/bin/python "$@"
    fi
    # Nothing of the caller's Python settings: the lock file says it all.
    env -u PYTHONPATH -u PYTHONHOME -u VIRTUAL_ENV -u PIP_REQUIRE_VIRTUALENV -u PIP_USER "$@"
}

# Locked packages only, never built here, each with its hash.
locked() { pip_install --require-hashes --only-binary :all: -r "requirements/$1.txt"; }

python_packages() {
    venv_is_sound || make_venv
    now=$(cat "requirements/$1.txt" pyproject.toml bin/install.d/python.sh | cksum)
    [ "$(cat ".venv/installed-$1" 2>/dev/null)" = "$now" ] && return 0
    say "Python packages ($1)"
    locked "$1"
    pip_install --no-index --no-deps --no-build-isolation --editable .
    printf '%s' "$now" >".venv/installed-$1"
}
