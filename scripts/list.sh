#!/usr/bin/env bash
# Prints the packages of the product whose source (tests included) has
#   goroutines   a go statement
#   benchmarks   a Benchmark function
#   fuzz         a Fuzz function; one "package function" a line
set -euo pipefail

case ${1:-} in
  goroutines) pattern='^[[:space:]]*go [[:alpha:]_(]' ;;
  benchmarks) pattern='^func Benchmark[A-Z0-9_]' ;;
  fuzz)       pattern='^func Fuzz[A-Z0-9_][A-Za-z0-9_]*' ;;
  *) echo "usage: list.sh goroutines|benchmarks|fuzz" >&2; exit 2 ;;
esac

"${GO:-go}" list -f '{{.Dir}} {{.ImportPath}}' ./... | while read -r dir pkg; do
  files=("$dir"/*.go)
  if [[ $1 == fuzz ]]; then
    { grep -hoE "$pattern" "${files[@]}" || true; } | sed "s|^func |$pkg |"
  elif grep -qE "$pattern" "${files[@]}"; then
    echo "$pkg"
  fi
done
