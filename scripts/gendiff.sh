#!/usr/bin/env bash
# gendiff.sh SCHEMAS GENERATOR:PACKAGE... : generates anew beside the tree and
# fails where the committed code differs, is missing or is left over.
set -euo pipefail
schemas=$1; shift
out=$(mktemp -d); trap 'rm -rf "$out"' EXIT

bad=0
for pair in "$@"; do
  tool=${pair%%:*} pkg=${pair#*:}
  mkdir -p "$out/$pkg"
  "${GO:-go}" run "./scripts/$tool" -schemas "$schemas" -out "$out/$pkg"
  [[ -n $(ls -A "$out/$pkg") ]] || { echo "scripts/$tool wrote nothing"; exit 1; }
  for f in "$out/$pkg"/*; do
    diff -u "$pkg/$(basename "$f")" "$f" | head -40 || bad=1
  done
  while read -r f; do
    [[ -e $out/$f ]] || { echo "$f: no generator writes it any more"; bad=1; }
  done < <(grep -lE '^// Code generated .* DO NOT EDIT\.$' "$pkg"/*.go)
  echo "scripts/$tool -> $pkg: $(find "$out/$pkg" -type f | wc -l) files"
done
[[ $bad == 0 ]] || { echo "generated code differs: make gen SCHEMAS=dir"; exit 1; }
