#!/usr/bin/env bash
# arm.sh BINARY : the armv7 BINARY, the demo and the unit tests of the pure packages (F0 to F3) under user-mode emulation. Where
# qemu-arm is not installed it says so and succeeds.
set -euo pipefail
binary=$(realpath "$1") go=${GO:-go}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if ! command -v qemu-arm >/dev/null; then
  echo "SKIPPED: armv7 under emulation: qemu-arm is not installed (apt-get install qemu-user)"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CGO_ENABLED=0

echo "== the shipped binary"
qemu-arm "$binary" version
qemu-arm "$binary" sbom >"$work/sbom.json"
grep -q '"bomFormat"' "$work/sbom.json"
cat >"$work/seed.json" <<'JSON'
{"format": "station-seed/1",
 "station": {"id": "arm001", "vendor": "Example", "model": "Sim"},
 "csms": [{"slot": 1, "url": "ws://127.0.0.1:9", "ocpp": ["ocpp2.0.1"], "securityProfile": 0}],
 "evses": [{"id": 1, "phases": 3, "maxCurrentA": 16, "connectors": [{"id": 1, "type": "cType2"}]}]}
JSON
qemu-arm "$binary" table --seed "$work/seed.json" --to "$work/table"
"$go" run ./cmd/evsed table --seed "$work/seed.json" --to "$work/table.here"
cmp "$work/table" "$work/table.here" # a line table is the same bytes wherever it is compiled

echo "== the demo"
GOOS=linux GOARCH=arm GOARM=7 "$go" build -o "$work/demo" ./cmd/evsed-demo
timeout 300 qemu-arm "$work/demo" </dev/null >"$work/demo.txt" || { tail -20 "$work/demo.txt"; exit 1; }
tail -4 "$work/demo.txt"
grep -q 'as the meters counted: one start, one end, no gap, queue empty' "$work/demo.txt"

echo "== unit tests of F0 to F3"
mapfile -t packages < <("$go" run ./scripts/floors/pure)
((${#packages[@]} > 15)) || { echo "arm: only ${#packages[@]} packages are below the line: look at scripts/floors/pure"; exit 1; }
# Searches at random are long natively; here each looks at fewer seeds.
searches='^(TestStories|TestCertificateStories|TestPowerCutAtEveryStep|TestPowerCutAtEveryStepOfAnUpdate|TestWithdrawalInAnyOrder|TestChaos)$'
export GOOS=linux GOARCH=arm GOARM=7
"$go" test -short -timeout 20m -exec qemu-arm -skip "$searches" "${packages[@]}"
"$go" test -short -timeout 20m -exec qemu-arm -run "$searches" ./station -seeds 4
