#!/bin/sh
# Prints the path of a bitcoind that can be started: $BITCOIND if set, else the one on PATH, else Debian's
# bitcoin-knots, unpacked (not installed, no root) into ${HEMID_BITCOIND_CACHE:-<repo>/.bitcoind}.
# Exit status 1, and why on standard error, when none can be had.
set -eu

# The suite that carries the package; its version is whatever apt finds there, for backports keep only the newest.
suite=trixie
package=bitcoin-knots

say() { printf '%s\n' "bitcoind.sh: $*" >&2; }

give_up() {
  say "$*"
  say "set BITCOIND to any bitcoind (Bitcoin Core or Knots, 28 or newer), or put one on PATH"
  exit 1
}

if [ -n "${BITCOIND:-}" ]; then
  command -v "$BITCOIND" >/dev/null 2>&1 || give_up "BITCOIND is set to $BITCOIND, which cannot be executed"
  command -v "$BITCOIND"
  exit 0
fi
if command -v bitcoind >/dev/null 2>&1; then
  command -v bitcoind
  exit 0
fi

repository=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cache=${HEMID_BITCOIND_CACHE:-$repository/.bitcoind}
mkdir -p "$cache" || give_up "cannot create $cache"
cache=$(CDPATH='' cd -- "$cache" && pwd)
ready=$cache/knots

# `knots` appears by one rename of a finished and tried folder, so what is there works; a folder that was moved to
# another machine may not, hence the trial.
if [ -x "$ready/bitcoind" ] && "$ready/bitcoind" -version >/dev/null 2>&1; then
  echo "$ready/bitcoind"
  exit 0
fi

for tool in apt-get apt-config dpkg dpkg-deb flock; do
  command -v $tool >/dev/null 2>&1 || give_up "there is no bitcoind here, and no $tool to fetch one with"
done

# Only one run at a time prepares the folder; the lock goes with the process, whatever happens to it.
exec 9>"$cache/lock"
flock 9
if [ -x "$ready/bitcoind" ] && "$ready/bitcoind" -version >/dev/null 2>&1; then
  echo "$ready/bitcoind"
  exit 0
fi
rm -rf "$ready" "$cache"/unfinished.*
work=$(mktemp -d "$cache/unfinished.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# The mirrors of the distribution, as this machine's own sources name them.
mirrors() {
  {
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
      sed -n 's/^[[:space:]]*deb[[:space:]]\{1,\}\(\[[^]]*\][[:space:]]*\)\{0,1\}\([^[:space:]]*\).*/\2/p'
    cat /etc/apt/sources.list.d/*.sources 2>/dev/null | sed -n 's/^URIs:[[:space:]]*//p' | tr ' \t' '\n\n'
  } | sed -n 's#^\(https\{0,1\}://.*/debian\)/*$#\1#p' | awk '!seen[$0]++'
}

keyring=
for file in /usr/share/keyrings/debian-archive-keyring.pgp /usr/share/keyrings/debian-archive-keyring.gpg; do
  [ -r "$file" ] && keyring=$file && break
done
[ -n "$keyring" ] || give_up "no bitcoind here, and no Debian archive keyring to check a download with"

architecture=$(dpkg --print-architecture)
mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial" "$work/apt/parts" "$work/root"
: >"$work/apt/status"
# The machine's way to the network (proxies, certificates), without its hooks.
apt-config dump --no-empty | grep '^Acquire::' >"$work/apt/parts/network.conf" || true

apt() {
  if [ "$(id -u)" = 0 ]; then set -- -o APT::Sandbox::User=root "$@"; fi
  APT_CONFIG=/dev/null apt-get -q \
    -o Dir::Etc::main=/dev/null -o Dir::Etc::parts="$work/apt/parts" \
    -o Dir::Etc::sourcelist="$work/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
    -o Dir::State="$work/apt" -o Dir::State::lists="$work/apt/lists" -o Dir::State::status="$work/apt/status" \
    -o Dir::Cache="$work/apt/cache" -o Debug::NoLocking=true -o Acquire::Languages=none \
    -o APT::Architecture="$architecture" -o APT::Install-Recommends=false "$@"
}

# Downloads the package and everything it depends on, signatures checked by apt, into $work/apt/cache/archives.
download() {
  printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$1" "$suite" "$keyring" "$1" "$suite-backports" \
    >"$work/apt/sources.list"
  apt update && apt -y --download-only install "$package/$suite-backports"
}

fetched=
for mirror in $(mirrors); do
  say "no bitcoind here: fetching Debian's $package from $mirror into $cache (once)"
  if download "$mirror" >"$work/apt.log" 2>&1; then
    fetched=yes
    break
  fi
  say "that failed: $(grep -E '^(E|W|Err)' "$work/apt.log" | head -n 3 | tr '\n' ' ')"
done
[ -n "$fetched" ] || give_up "no bitcoind here, and none could be fetched from this machine's Debian mirrors"

for deb in "$work"/apt/cache/archives/*.deb; do
  dpkg-deb -x "$deb" "$work/root" || give_up "cannot unpack $deb"
done
loader=$(cd "$work/root" && ls usr/lib/*/ld-linux*.so.* 2>/dev/null | head -n 1)
[ -n "$loader" ] || give_up "the fetched packages carry no loader for $architecture"

# The package needs a newer C library than this machine may have: it runs on the one fetched with it.
cat >"$work/bitcoind" <<WRAPPER
#!/bin/sh
here=\$(CDPATH='' cd -- "\$(dirname -- "\$(readlink -f -- "\$0")")" && pwd)
exec "\$here/root/$loader" --library-path "\$here/root/$(dirname "$loader")" "\$here/root/usr/bin/bitcoind" "\$@"
WRAPPER
chmod +x "$work/bitcoind"
"$work/bitcoind" -version >"$work/trial.log" 2>&1 ||
  give_up "the fetched bitcoind does not start: $(head -n 3 "$work/trial.log" | tr '\n' ' ')"
rm -rf "$work/apt" "$work/apt.log" "$work/trial.log" "$work/root/usr/share"
# mktemp makes a folder for its owner alone.
chmod 755 "$work"
mv "$work" "$ready"
echo "$ready/bitcoind"
