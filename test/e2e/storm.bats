#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets stderr
# A short kill -9 storm; bench/storm is the long one.

@test "killed at random and inside landings, weir loses nothing, lands nothing twice, and the service answers" {
	bats_require_minimum_version 1.5.0
	run --separate-stderr "$BATS_TEST_DIRNAME/../storm/storm" --kills 30 --changes 60 --landing-kills 6 --service --start-ms 10000 # others may use the machine
	echo "$output" "$stderr"
	[ "$status" = 0 ]
	echo "# ${lines[-1]}" >&3
	# The storm can fail: it found what it was to find.
	jq -e '.kills.all >= 30 and .kills.landing >= 6 and .changes.acknowledged >= 60 and .service.requests > 100' <<<"${lines[-1]}"
}
