# shellcheck shell=sh
# What Debian has to bring: packages are collected in $wanted and installed in one go.
wanted=

want() {
    case " $wanted " in *" $1 "*) ;; *) wanted="$wanted $1" ;; esac
}

say() { printf '· %s\n' "$*"; }

browser_wants() {
    command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 ||
        command -v google-chrome >/dev/null 2>&1 || want chromium
    # Playwright's driver is linked with it, and a small Debian does not have it.
    [ "$(uname)" != Linux ] || has_library libatomic.so.1 || want libatomic1
    fonts_want
}

fonts_want() {
    # Pages are measured in these: without them a test would measure whatever a machine happens to have.
    command -v apt-get >/dev/null 2>&1 || return 0
    [ -e /usr/share/fonts/truetype/noto/NotoSans-Regular.ttf ] || want fonts-noto-core
    [ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] || want fonts-noto-cjk
}

has_library() {
    for library in /usr/lib/"$1" /usr/lib64/"$1" /usr/lib/*/"$1"; do
        [ ! -e "$library" ] || return 0
    done
    return 1
}

system_install() {
    [ -n "$wanted" ] || return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "Counterfoil needs$wanted, or whatever your system calls that. Install it and run this again." >&2
        exit 2
    fi
    if [ "$(id -u)" = 0 ]; then
        sudo=
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        sudo="sudo -n"
    else
        {
            echo "Something is missing that only an administrator can install. Run this once, and then make again:"
            echo
            echo "    $(command -v sudo >/dev/null 2>&1 && echo 'sudo apt-get install -y' || echo 'su -c "apt-get install -y')$wanted$(command -v sudo >/dev/null 2>&1 || echo '"')"
            echo
        } >&2
        exit 2
    fi
    say "installing$wanted"
    log=$(mktemp)
    # The lists of a fresh machine may be empty or old: take what they have, else fetch them once.
    # shellcheck disable=SC2086
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $wanted >"$log" 2>&1 </dev/null || {
        $sudo apt-get update >"$log" 2>&1 </dev/null &&
            $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $wanted >>"$log" 2>&1 </dev/null
    } || {
        tail -n 20 "$log" >&2
        rm -f "$log"
        echo "apt-get could not install$wanted." >&2
        exit 2
    }
    rm -f "$log"
    wanted=
}
