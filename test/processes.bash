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
# meant to outlive the daemon: runs, supervisors, services.
kill_processes_of() {
	local pid
	for pid in $(processes_of "$1"); do
		[ "$pid" = $$ ] || [ "$pid" = "$BASHPID" ] || kill -9 "$pid" 2>/dev/null || true
	done
}
