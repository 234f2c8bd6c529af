#!/usr/bin/env bash
# reflect.sh PACKAGE : fails when the linked program looks methods up by a name
# that the linker cannot know (reflect.Value.MethodByName, text/template and
# what uses them). Then the linker keeps every exported method of the program:
# two megabytes on a small board. The linker marks each function that does so.
set -euo pipefail
pkg=$1
out=$(mktemp -d); trap 'rm -rf "$out"' EXIT

# dump PACKAGE FILE : links for the smallest target, the dependency edges to FILE
dump() {
  GOOS=linux GOARCH=arm GOARM=7 CGO_ENABLED=0 "${GO:-go}" build -trimpath -tags "${TAGS:-}" \
    -ldflags=-dumpdep -o "$out/program" "$1" >"$2" 2>&1 || { tail -20 "$2"; exit 1; }
  # No edges would mean no marks: the linker must have spoken.
  [[ $(grep -c ' -> ' "$2") -gt 1000 ]] || { echo "the linker printed no dependencies"; exit 1; }
}

marked() { grep -oE '[^ ]+ <ReflectMethod>' "$1" | sort -u || true; }

# Control: a program that does it must be found, or the check proves nothing.
mkdir "$out/control"
cat >"$out/control/main.go" <<'GO'
package main

import (
	"os"
	"reflect"
)

func main() { println(reflect.ValueOf(os.Stdin).MethodByName(os.Args[0]).IsValid()) }
GO
dump "$out/control/main.go" "$out/control.txt"
[[ -n $(marked "$out/control.txt") ]] || { echo "the linker of this Go marks nothing: the check needs a new way"; exit 1; }

dump "$pkg" "$out/product.txt"
found=$(marked "$out/product.txt")
if [[ -n $found ]]; then
  echo "$pkg: methods are looked up by name in"; echo "$found" | head -20
  exit 1
fi
echo "$pkg: $(grep -c ' -> ' "$out/product.txt") edges, none marked"
