#!/usr/bin/env bash
# Builds the image of docs/operations.md from this source, and pulls in it from a sandbox. Needs a Docker daemon.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'kill "${sandbox:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir "$work/state" "$work/calls"

uv build --quiet --wheel --out-dir "$work"
sed -n '/^```dockerfile$/,/^```$/p' docs/operations.md | sed '1d;$d' |
    sed 's|^FROM .*|&\nCOPY *.whl /tmp/|; s|cloudstore-tui|/tmp/*.whl|' >"$work/Dockerfile"
docker build --quiet --tag cloudstore-check "$work"

uv run cloudstore sandbox --port 8599 --data "$work/service" >"$work/sandbox.log" &
sandbox=$!
until [ -s "$work/service/config.toml" ]; do
    kill -0 "$sandbox"
    sleep 0.2
done

docker run --rm --network host --user "$(id -u):$(id -g)" \
    --read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp \
    -v "$work/service:/config:ro" -v "$work/state:/state" -v "$work/calls:/calls" \
    cloudstore-check pull acme8 on:2024-09-01 type:summary --to /calls --report /state/report.json
uv run cloudstore status "$work/calls"
grep -q '"outcome": "complete"' "$work/state/report.json"
echo "The container pulls."
