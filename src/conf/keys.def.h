// Every key of weir.yml: one row. From these rows come what the parser knows and suggests, defaults
// and limits, the canonical JSON, the verdict key, the JSON Schema and weir.yml(5).
//
// KEY(scope, name, kind, member, default, min, max, flags, documentation)
//   scope    the mapping it stands in; member is the field of that scope's struct (keys.h)
//   default  as somebody would write it; "" = empty, none, 0. A default never changes: the log and
//   old
//            verdicts rely on it.
//   min max  of a number in its unit (ms, bytes, thousandths of a core), or of the items of a list
//   flags    BUILT, or NOT_YET: it parses and is refused as "not yet supported"
//            REQUIRED  may not be left out
//            OUTCOME   may change what a run gives, so it is part of the verdict key
//            (plan_job_json) INTERNAL  not for weir.yml: only in the canonical form
// Rows of a scope stand in the order of their names, because canonical JSON is written from them.
// Rows are added, never renamed or removed.

KEY(ROOT, "environments", ENVIRONMENTS, environments, "", 0, 64, BUILT,
    "The places that run a release, by name.")
KEY(ROOT, "jobs", JOBS, jobs, "", 0, 256, BUILT | REQUIRED,
    "The commands that build and test a change, by name.")
KEY(ROOT, "trunk", BRANCH, trunk, "main", 0, 0, BUILT, "The branch that changes land on.")

// Not OUTCOME: when and paths say whether it runs, not what it gives; before_landing decides the
// trust level, which the verdict key holds by itself; retries repeats the same definition; trace
// and inputs decide which inputs a verdict depends on, and those are in the key by themselves.
KEY(JOB, "artifacts", PATTERNS, artifacts, "", 0, 64, BUILT | OUTCOME,
    "Files and folders that are kept when the job has passed: restored at the same path before a "
    "job that "
    "needs this one, and part of a release. A missing one fails the job. $WEIR_MATRIX_x and "
    "$WEIR_SHARD "
    "are replaced.")
KEY(JOB, "before_landing", BOOL, before_landing, "false", 0, 0, BUILT,
    "Whether the job's secrets reach it before the change has landed; believed only in trunk's "
    "weir.yml.")
KEY(JOB, "cache", PATTERNS, cache, "", 0, 16, BUILT | OUTCOME,
    "Folders that are kept from one run of this job to the next.")
KEY(JOB, "coverage", PATTERNS, coverage, "", 0, 64, BUILT | OUTCOME,
    "Coverage reports that the job writes: lcov, Cobertura, JaCoCo or a Go cover profile.")
KEY(JOB, "each", PATTERNS, each, "", 0, 64, BUILT,
    "Run the job once for each file of the tree that matches, with the file's path in WEIR_EACH: a "
    "test suite of many files becomes as many jobs, and a change runs those again that read what it "
    "changed. $WEIR_EACH is replaced in artifacts, results, coverage and cache.")
KEY(JOB, "env", ENV, env, "", 0, 256, BUILT | OUTCOME,
    "Environment variables of the job. Names that begin with WEIR_ are weir's own.")
KEY(JOB, "family", TEXT, family, "", 0, 0, INTERNAL, "")
KEY(JOB, "git", BOOL, git, "false", 0, 0, BUILT | OUTCOME,
    "Whether the job sees a .git folder; the commit then is one of its inputs.")
KEY(JOB, "image", ANY, name, "", 0, 0, NOT_YET, "The container image to run in.")
KEY(JOB, "inputs", PATTERNS, inputs, "", 0, 64, BUILT,
    "The only files of the tree that the job is given; its verdict is used again while they are "
    "unchanged. Unless said, it sees the whole tree, and what it reads of it is recorded.")
KEY(JOB, "key", TEXT, key, "", 0, 0, INTERNAL, "")
KEY(JOB, "matrix", MATRIX, name, "", 1, 8, BUILT,
    "Lists of values by name: the job runs once for each combination, with each value in "
    "WEIR_MATRIX_name and in the job's name.")
KEY(JOB, "name", TEXT, name, "", 0, 0, INTERNAL | OUTCOME, "")
KEY(JOB, "needs", NEEDS, needs, "", 0, 256, BUILT | OUTCOME,
    "Jobs that must have passed before; their artifacts are there. They run whenever this one "
    "runs.")
KEY(JOB, "network", BOOL, network, "false", 0, 0, BUILT | OUTCOME,
    "Whether the job reaches the internet (never this machine's own services).")
KEY(JOB, "paths", PATTERNS, paths, "", 0, 64, BUILT,
    "Run only when a changed file matches one of these patterns; without it, always.")
KEY(JOB, "resources", RESOURCES, resources, "", 0, 0, BUILT | OUTCOME,
    "The most that the job may use of the machine.")
KEY(JOB, "results", PATTERNS, results, "", 0, 64, BUILT | OUTCOME,
    "Test results that the job writes: JUnit XML, TAP, go test -json or CTRF.")
KEY(JOB, "retries", COUNT, retries, "0", 0, 3, BUILT,
    "How often a failed run is repeated, so that any green one counts; better left at 0: weir then runs "
    "a red job again by itself, and judges by the past of its tests whether they are flaky.")
KEY(JOB, "run", COMMAND, run, "", 1, 65536, BUILT | REQUIRED | OUTCOME,
    "The command, for a POSIX shell with -e; may have several lines.")
KEY(JOB, "secrets", SECRETS, secrets, "", 0, 64, BUILT | OUTCOME,
    "Names of secrets (weir secret set) that the job gets as environment variables after landing.")
KEY(JOB, "services", ANY, name, "", 0, 0, NOT_YET, "Containers that run beside the job.")
KEY(JOB, "shard", COUNT, shard, "1", 1, 64, INTERNAL | OUTCOME, "")
KEY(JOB, "shards", COUNT, shards, "1", 1, 64, BUILT | OUTCOME,
    "Run the job this many times, each with its number in WEIR_SHARD (from 1) and the total in "
    "WEIR_SHARDS.")
KEY(JOB, "submodules", BOOL, submodules, "false", 0, 0, BUILT | OUTCOME,
    "Whether submodules are checked out.")
KEY(JOB, "timeout", DURATION, timeout_ms, "10m", 100, 86400000, BUILT | OUTCOME,
    "The job fails when it runs longer.")
KEY(JOB, "trace", BOOL, trace, "true", 0, 0, BUILT,
    "Whether weir records what the job reads of the tree. Its verdict is used again until something "
    "of that changes; without the record, until anything in the tree changes.")
KEY(JOB, "when", WHEN, when, "change", 0, 0, BUILT,
    "When it runs: on each change before it lands, after it has landed, or each night on trunk.")
KEY(JOB, "working-directory", FOLDER, working_directory, "", 0, 0, BUILT | OUTCOME,
    "The folder to run in, from the root of the repository. Other paths still count from the root.")

KEY(RESOURCES, "cpu", CPU, cpu_milli, "", 10, 1024000, BUILT | OUTCOME,
    "Processor cores, such as 2, 0.5 or 500m.")
KEY(RESOURCES, "disk", SIZE, disk_bytes, "", 1048576, 17592186044416, BUILT | OUTCOME,
    "Bytes that the job may write, such as 2G.")
KEY(RESOURCES, "memory", SIZE, memory_bytes, "", 1048576, 17592186044416, BUILT | OUTCOME,
    "Memory, such as 512M.")

KEY(ENVIRONMENT, "artifacts", PATTERNS, artifacts, "", 1, 64, BUILT | REQUIRED,
    "What a release puts here; each must be an artifact of a job.")
KEY(ENVIRONMENT, "listen", LISTEN, listen, "", 0, 0, BUILT,
    "The address and port where people reach the service.")
KEY(ENVIRONMENT, "name", TEXT, name, "", 0, 0, INTERNAL, "")
KEY(ENVIRONMENT, "rollout", ROLLOUT, rollout, "", 0, 0, BUILT, "How a new release takes over.")
KEY(ENVIRONMENT, "service", SERVICE, service, "", 0, 0, BUILT,
    "A program that weir keeps running and switches from release to release.")
KEY(ENVIRONMENT, "tls", TLS, tls, "", 0, 0, BUILT, "Certificate and key of the listening address.")

KEY(SERVICE, "before", COMMAND, before, "", 1, 65536, BUILT,
    "A command that runs once for each release before it starts, such as a migration.")
KEY(SERVICE, "env", ENV, env, "", 0, 256, BUILT,
    "Environment variables of the service. PORT and names that begin with WEIR_ are weir's own.")
KEY(SERVICE, "grace", DURATION, grace_ms, "10s", 100, 3600000, BUILT,
    "How long requests in flight may take to end before an old release is stopped.")
KEY(SERVICE, "health", HEALTH, health, "", 0, 0, BUILT,
    "Path that answers 200 when the service is well; without it weir only sees that it runs.")
KEY(SERVICE, "instances", COUNT, instances, "1", 1, 64, BUILT, "How many processes of it run.")
KEY(SERVICE, "run", COMMAND, run, "", 1, 65536, BUILT | REQUIRED,
    "The command that starts it; it must listen on $PORT of 127.0.0.1.")
KEY(SERVICE, "secrets", SECRETS, secrets, "", 0, 64, BUILT,
    "Names of secrets that the service gets as environment variables.")

KEY(TLS, "certificate", FILE, certificate, "", 0, 0, BUILT | REQUIRED,
    "Absolute path of the certificate chain on the server, PEM.")
KEY(TLS, "key", FILE, key, "", 0, 0, BUILT | REQUIRED,
    "Absolute path of the private key on the server, PEM.")

KEY(ROLLOUT, "hold", DURATION, hold_ms, "30s", 100, 86400000, NOT_YET,
    "How long each step is watched at least.")
KEY(ROLLOUT, "steps", PERCENTS, steps, "", 1, 20, NOT_YET,
    "Shares of the traffic that the new release gets, ascending to 100%.")
KEY(ROLLOUT, "strategy", STRATEGY, strategy, "all-at-once", 0, 0, BUILT,
    "all-at-once switches when the new release is healthy; canary moves the traffic in steps.")
