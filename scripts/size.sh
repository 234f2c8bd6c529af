#!/usr/bin/env bash
# size.sh BINARY... : prints the bytes of each, and fails where one is larger
# than its limit. SIZE_LIMITS="armv7=10000000 arm64=..." names limits by the
# last part of the file's name; a limit that fits no file is an error.
set -euo pipefail
bad=0 used=0
read -ra limits <<<"${SIZE_LIMITS:-}"
for f in "$@"; do
  bytes=$(stat -c %s "$f") note=
  for l in ${limits[@]+"${limits[@]}"}; do
    [[ $f == *-"${l%%=*}" ]] || continue
    used=$((used + 1)) note="limit ${l#*=}"
    if ((bytes > ${l#*=})); then note="OVER THE LIMIT of ${l#*=}" bad=1; fi
  done
  printf '%-32s %10d  %s\n' "$f" "$bytes" "$note"
done
if ((used != ${#limits[@]})); then echo "size: a limit of '$SIZE_LIMITS' fits no file"; bad=1; fi
exit $bad
