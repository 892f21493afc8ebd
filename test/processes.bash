# shellcheck shell=bash
# processes_of FOLDER: the pids whose command line names something in FOLDER or that work in it, one a line. Two
# programs look at all of them at once: a loop over /proc costs a test half a second.
processes_of() {
	{
		grep -lsaF "$1/" /proc/[0-9]*/cmdline
		find /proc/[0-9]*/cwd -prune \( -lname "$1" -o -lname "$1/*" -o -lname "$1 (deleted)" \) 2>/dev/null
	} | cut -d/ -f3 | sort -un
}

# kill_processes_of FOLDER: ends them all but the caller and its shell. Without this a test would leave behind what is
# meant to outlive the daemon: runs, supervisors, services; and their cgroups.
kill_processes_of() {
	local pid
	for pid in $(processes_of "$1"); do
		[ "$pid" = $$ ] || [ "$pid" = "$BASHPID" ] || kill -9 "$pid" 2>/dev/null || true
	done
	remove_cgroups_of "$1"
}

# remove_cgroups_of FOLDER: those of runs and services of a data folder that is FOLDER or in it, and of environments there.
# They are named after the SHA-256 of the folder's path, so that nobody else's is touched.
remove_cgroups_of() {
	local folder hash names=() _
	for folder in "$1" "$1"/*/ "$1"/envs/*/ "$1"/*/envs/*/; do
		[ -d "$folder" ] || continue
		hash=$(printf %s "${folder%/}" | sha256sum)
		names+=(-o -name "weir-${hash:0:16}.*" -o -name "weir-w${hash:0:8}-*")
	done
	for _ in 1 2 3 4 5 6 7 8 9 10; do # what was killed takes a moment to go
		find /sys/fs/cgroup -depth -type d \( -false "${names[@]}" \) -exec rmdir {} + 2>/dev/null
		[ -n "$(find /sys/fs/cgroup -type d \( -false "${names[@]}" \) -print -quit 2>/dev/null)" ] || return 0
		sleep 0.02
	done
}
