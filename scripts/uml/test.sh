#!/usr/bin/env bash
# test.sh [ARGUMENTS OF GO TEST] : builds the kernel where it is not there yet, and runs the checks in it. Where it cannot be built the
# checks are skipped, by name.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export CGO_ENABLED=0 # /init has no libraries
code=0
exec 4>&1
kernel=$(scripts/uml/kernel.sh | tee >(grep -v '/linux$' >&4) | tail -1) || code=$?
if ((code == 3)); then
  echo "SKIPPED: TestKernel: $kernel"
  exit 0
fi
((code == 0)) || exit "$code"
EVSED_UML_KERNEL=$kernel exec "${GO:-go}" test -count=1 -v -timeout "$((20 + ${EVSED_DECISIONS:-0} / 2))m" "$@" ./scripts/uml
