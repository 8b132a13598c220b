#!/bin/sh
# Ovid @VERSION@ for @TARGET@: this head, and behind it the program and its runtime, each compressed by gzip.
# The first start unpacks them into a private folder, and every start runs what is there. Needs sh, tail, head, gzip,
# mktemp and chmod. OVID_CACHE names the folder; without it, it is ~/.cache/ovid, or one in $TMPDIR or /tmp.

name=@HASH@
files=@FILES@
megabytes=@MEGABYTES@
program_at=@PROGRAM_AT@
program_bytes=@PROGRAM_BYTES@
runtime_at=@RUNTIME_AT@
unset path_was path_had

self=$0
# Whoever says `sh ovid` means the one in this folder, if there is one.
case $0 in
*/*) ;;
*) [ -f "$0" ] || self=$(command -v -- "$0") ;;
esac
case $self in
/*) ;;
*) self=$PWD/$self ;;
esac
# Boxes are started in other folders, too.
case ${OVID_CACHE-} in
'' | /*) ;;
*) export OVID_CACHE="$PWD/$OVID_CACHE" ;;
esac
# A home that is no folder, such as /dev/null, would stop the runtime.
[ -z "${HOME-}" ] || [ ! -e "$HOME" ] || [ -d "$HOME" ] || unset HOME

# Whether folder $1 has all that was unpacked: cleaners of /tmp take files one by one.
is_whole() {
  [ -x "$1/ovid" ] && [ -f "$1/lib/main.js" ] || return 1
  set -- "$1"/lib/*
  [ $# -eq "$files" ]
}

# Whether folder $1 is ours: what somebody else put there must not run. One in /tmp must not be a link, either.
is_ours() {
  [ -d "$1" ] && [ -O "$1" ] || return 1
  [ "$kind" != temporary ] || [ ! -h "$1" ]
}

# Takes folder $1 as the place of all versions; says in $why what is wrong with it.
take() {
  kind=$2
  # A folder that the user has named is trusted.
  if [ "$kind" = named ] || { is_ours "$1" && is_ours "$1/$name"; }; then
    is_whole "$1/$name" && folder=$1/$name && return 0
  fi
  [ "${path_was+set}" ] || { path_was=${PATH-} path_had=${PATH+set}; }
  PATH=$path_was:/usr/bin:/bin
  unpack "$1" && folder=$1/$name && return 0
  why="$why
  $1: $problem"
  return 1
}

unpack() {
  if [ "$kind" = temporary ]; then mkdir -m 700 "$1" 2>/dev/null; else mkdir -p "$1" 2>/dev/null; fi
  problem='is no folder, and none can be made'
  [ -d "$1" ] || return 1
  problem="belongs to somebody else"
  [ "$kind" = named ] || is_ours "$1" || return 1
  problem='cannot be written'
  new=$(umask 077 && mktemp -d "$1/new.XXXXXX" 2>/dev/null) || return 1
  trap 'rm -rf "$new"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  if problem=$(unpack_into "$new" "$1/$name" 2>&1); then
    ended=0
  else
    ended=1
    problem="no room for $megabytes MB, or $self is damaged: $(first_line "$problem")"
  fi
  rm -rf "$new"
  trap - EXIT HUP INT TERM
  return $ended
}

# The first line of text $1 that is not empty.
first_line() (
  set -f
  IFS='
'
  set -- $1
  printf %s "${1-ended without a word}"
)

# Unpacks into folder $1, whose last step is to become $2.
unpack_into() {
  umask 077
  tail -c "+$program_at" "$self" | head -c "$program_bytes" | gzip -dc >"$1/unpack.js" || return 1
  tail -c "+$runtime_at" "$self" | gzip -dc >"$1/ovid" || return 1
  chmod 700 "$1/ovid" &&
    DENO_DIR=$1/deno DENO_NO_PACKAGE_JSON=1 NO_COLOR=1 \
      "$1/ovid" run --allow-all --quiet --no-config --no-lock --no-npm "$1/unpack.js" "$1" "$2" </dev/null
}

# Sets variable $1 to $2 for the runtime, unless the user has; the program unsets it again for what it starts.
give() {
  eval "[ \"\${$1+set}\" ]" && return
  export "$1=$2"
  OVID_UNSET="${OVID_UNSET} $1"
}

why=
if [ -n "${OVID_CACHE-}" ]; then
  take "$OVID_CACHE" named
else
  cache=${XDG_CACHE_HOME-}
  # A home that is not there is not to be made.
  [ "$cache" ] || [ ! -d "${HOME-}" ] || cache=$HOME/.cache
  case $cache in
  /*) take "$cache/ovid" home ;;
  *) false ;;
  esac || take "${TMPDIR:-/tmp}/ovid-$(PATH=${PATH-}:/usr/bin:/bin; id -u)" temporary
fi || {
  printf 'ovid: Cannot unpack itself, want a folder for it in OVID_CACHE:%s\n' "$why" >&2
  exit 126
}

if [ "${path_was+set}" ]; then
  if [ "$path_had" ]; then PATH=$path_was; else unset PATH; fi
fi
OVID_EXE=$self
OVID_UNSET=OVID_UNSET
export OVID_EXE OVID_UNSET
give DENO_DIR "$folder/deno"
give DENO_NO_UPDATE_CHECK 1
give DENO_NO_PACKAGE_JSON 1
give DENO_DISABLE_NODE_SHIM 1
exec "$folder/ovid" run @ENGINE@ --allow-all --quiet --no-prompt --no-config --no-lock --no-npm --no-remote \
  --import-map="$folder/lib/import_map.json" "$folder/lib/main.js" "$@"
exit 126
