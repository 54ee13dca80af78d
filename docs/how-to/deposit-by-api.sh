#!/usr/bin/env bash
# Takes a table the whole way over the REST API: deposit, validate, screen, anonymise, publish,
# find, query, download. Needs only bash, curl and python3.
#
#   FAIRDATABASE_URL=http://127.0.0.1:8000 \
#   FAIRDATABASE_EMAIL=you@example.org FAIRDATABASE_PASSWORD=... \
#   docs/how-to/deposit-by-api.sh samples.csv
set -euo pipefail

url=${FAIRDATABASE_URL:-http://127.0.0.1:8000}/api/v1
file=${1:?usage: deposit-by-api.sh TABLE.csv}
name=$(basename "$file")

# Reads one value out of a JSON answer: json 'data.version.public_id'
json() {
  python3 -c '
import functools, json, sys
value = functools.reduce(
    lambda found, key: found[int(key) if key.isdigit() else key],
    sys.argv[1].split("."), json.load(sys.stdin))
print(value if isinstance(value, str) else json.dumps(value))' "$1"
}

# Calls the API; shows the server's explanation and stops where it says no.
call() {
  local answer status
  answer=$(curl --silent --show-error --write-out '\n%{http_code}' \
    ${token:+--header "Authorization: Bearer $token"} "$@")
  status=${answer##*$'\n'}
  answer=${answer%$'\n'*}
  if [ "$status" -ge 400 ]; then
    printf '%s\n' "$answer" | json error >&2
    return 1
  fi
  printf '%s' "$answer"
}

send() { call --header 'Content-Type: application/json' --data "$2" --request "$1" "$3"; }

# Waits until the newest piece of work on the file is done.
finish() {
  local stage
  until stage=$(call "$url/deposits/$deposit" | json data.files.0.stage); [ "$stage" != working ]; do
    sleep 0.3
  done
}

echo "1. Sign in"
token=$(call --header 'Content-Type: application/json' --data "$(python3 -c '
import json, os
print(json.dumps({"email": os.environ["FAIRDATABASE_EMAIL"],
                  "password": os.environ["FAIRDATABASE_PASSWORD"]}))')" \
  "$url/auth/login" | json data.access_token)

echo "2. Open a deposit and describe it"
deposit=$(send POST '{"access": "open", "metadata": {
    "title": "Example cohort", "description": "A table deposited by a script.",
    "creators": [{"name": "Curie, Marie", "orcid": "0000-0002-1825-0097"}],
    "subjects": [{"term": "cohort study"}], "licence": "CC-BY-4.0"}}' \
  "$url/deposits" | json data.version.public_id)

echo "3. Upload $name; it is stored as it is and validated"
uploaded=$(call --request PUT --header 'Content-Type: application/octet-stream' \
  --upload-file "$file" "$url/deposits/$deposit/files/$name" | json data.file.public_id)
finish
call "$url/files/$uploaded/table" | json data.row_count | sed 's/^/   rows: /'

echo "4. Say what each column means for privacy: here, what the platform suggests"
roles=$(call "$url/files/$uploaded/role-suggestions" | python3 -c '
import json, sys
print(json.dumps({"columns": {
    item["column"]: {"role": "insensitive" if item["role"] == "unassigned" else item["role"]}
    for item in json.load(sys.stdin)["data"]}}))')
send PATCH "$roles" "$url/files/$uploaded/columns" >/dev/null
finish

echo "5. Read the verdict"
passed=$(call "$url/files/$uploaded/screening" | json data.passed)
echo "   passes the policy: $passed"

if [ "$passed" = false ]; then
  echo "6. Anonymise by the suggested recipe"
  recipe=$(call "$url/files/$uploaded/recipe-suggestion" | json data)
  send POST "$recipe" "$url/files/$uploaded/release" >/dev/null
  finish
fi

echo "7. Publish"
identifier=$(send POST '' "$url/deposits/$deposit/publication" | json data.dataset_identifier)
echo "   $identifier"

echo "8. Find it again, as anybody may"
unset token
dataset=${identifier##*/}
call "$url/datasets?q=example" | json meta.total | sed 's/^/   found: /'
call "$url/datasets/$dataset" | json data.metadata.title | sed 's/^/   title: /'

echo "9. Query it and download it"
call "$url/files/$uploaded/rows?limit=3&with_total=true" | json data.total | sed 's/^/   rows: /'
curl --silent --show-error --fail --output "${TMPDIR:-/tmp}/$dataset.csv" \
  "$url/files/$uploaded/export?format=csv"
echo "   saved as ${TMPDIR:-/tmp}/$dataset.csv"
