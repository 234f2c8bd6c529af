#!/usr/bin/env bash
# Runs every fuzz target of the product for FUZZTIME, one after the other, and
# goes on after a finding. A finding is left where go test puts it: in the
# package's testdata/fuzz, to be committed with its cure. An input that is only
# interesting is not made smaller for the usual minute: with slow targets that
# would be all that happens.
set -euo pipefail
FUZZTIME=${FUZZTIME:-10m}

targets=$("$(dirname "$0")/list.sh" fuzz)
[[ -n $targets ]] || { echo "fuzz: no fuzz target found"; exit 1; }
echo "fuzz: $(wc -l <<<"$targets") targets, $FUZZTIME each"

found=0
while read -r pkg target; do
  echo "== $pkg $target"
  "${GO:-go}" test -run '^$' -fuzz "^$target\$" -fuzztime "$FUZZTIME" -fuzzminimizetime 1000x "$pkg" </dev/null || found=$((found + 1))
done <<<"$targets"
echo "fuzz: $found targets with a finding"
[[ $found == 0 ]]
