#!/usr/bin/env bash
# memory.sh BINARY : starts a simulated station with two EVSEs and no CSMS to be
# reached, lets it settle, prints its memory (PSS, kB) and fails above
# MEMORY_LIMIT kB. The process and its files are gone afterwards.
set -euo pipefail
binary=$1 limit=${MEMORY_LIMIT:?kB}
dir=$(mktemp -d) pid=
trap '[[ -z $pid ]] || kill -9 "$pid" 2>/dev/null || true; rm -rf "$dir"' EXIT

cat >"$dir/seed.json" <<'JSON'
{"format": "station-seed/1",
 "station": {"id": "memory"},
 "csms": [{"slot": 1, "url": "ws://127.0.0.1:1", "ocpp": ["ocpp2.0.1"], "securityProfile": 0}],
 "evses": [{"id": 1, "phases": 3, "maxCurrentA": 32, "connectors": [{"id": 1, "type": "cType2"}]},
           {"id": 2, "phases": 3, "maxCurrentA": 32, "connectors": [{"id": 1, "type": "cType2"}]}]}
JSON

port=$((20000 + RANDOM % 10000))
GOMEMLIMIT=24MiB GOGC=50 "$binary" run --seed "$dir/seed.json" --state "$dir/state" \
  --sim-listen "127.0.0.1:$port" </dev/null >"$dir/log" 2>&1 &
pid=$!
disown # the shell need not tell of its end

served=
for _ in {1..100}; do
  kill -0 "$pid" 2>/dev/null || break
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then served=yes; break; fi
  sleep 0.05
done
[[ -n $served ]] || { echo "memory: the station does not serve:"; tail -20 "$dir/log"; exit 1; }
# It settles within two seconds, and later on a busy machine.
for _ in {1..15}; do
  sleep 2
  pss=$(awk '/^Pss:/ {print $2}' "/proc/$pid/smaps_rollup")
  [[ -n $pss ]] || { echo "memory: not measured: this kernel has no PSS"; exit 0; }
  ((pss > limit)) || break
done
echo "idle, 2 EVSEs: $pss kB PSS, limit $limit"
((pss <= limit))
