#!/usr/bin/env bash
# reproducible.sh TARGET... : builds each target twice, from copies of this tree in two folders of different depth, by another
# user name and with an empty build cache the second time, and compares the bytes. What differs is shown by the list of modules.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
first=$work/first second=$work/another/place/second
for dir in "$first" "$second"; do
  mkdir -p "$dir"
  tar -c --exclude=./build --exclude=./.git . | tar -x -C "$dir"
done
same=1
for target in "$@"; do
  make -s -C "$first" "build/evsed-linux-$target"
  env HOME="$work/home" USER=somebody TZ=Asia/Tokyo GOMODCACHE="$(go env GOMODCACHE)" GOFLAGS="${GOFLAGS:-}" GOCACHE="$work/cache" \
    make -s -C "$second" "build/evsed-linux-$target"
  if cmp "$first/build/evsed-linux-$target" "$second/build/evsed-linux-$target"; then
    printf '%-8s %s\n' "$target" "$(sha256sum <"$first/build/evsed-linux-$target" | cut -d' ' -f1)"
  else
    same=0
    diff <(go version -m "$first/build/evsed-linux-$target") <(go version -m "$second/build/evsed-linux-$target") || true
  fi
done
((same)) || { echo "reproducible: two builds of the same source differ"; exit 1; }
