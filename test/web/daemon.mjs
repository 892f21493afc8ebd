// A real weir on a fresh data folder, with a small repository whose service it deploys. The repository's file `version`
// is what the service answers, so that a request tells which release is live.
import {execFile, spawn} from 'node:child_process'
import {once} from 'node:events'
import {chmod, copyFile, mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises'
import http from 'node:http'
import net from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {promisify} from 'node:util'

const here = new URL('.', import.meta.url).pathname
const build = process.env.WEIR_BUILD ?? join(here, '../../build/rel')
const env = {
	...process.env, PATH: `${build}:${process.env.PATH}`,
	GIT_AUTHOR_NAME: 'Ada', GIT_AUTHOR_EMAIL: 'ada@example.org', GIT_COMMITTER_NAME: 'Ada', GIT_COMMITTER_EMAIL: 'ada@example.org',
	GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0', no_proxy: '127.0.0.1',
}
delete env.WEIR_URL
delete env.WEIR_TOKEN
const command = (name, args, options = {}) => promisify(execFile)(name, args, {env, ...options})

async function freePort() {
	const server = net.createServer().listen(0, '127.0.0.1')
	await once(server, 'listening')
	const {port} = server.address()
	server.close()
	await once(server, 'close')
	return port
}

const weirYml = port => `jobs:
  build:
    run: mkdir -p build && cp version build/ && cc -std=gnu17 -D_GNU_SOURCE -o build/service service.c
    artifacts: [build/service, build/version]
  test:
    needs: [build]
    run: sh check.sh
    results: [results.tap]
environments:
  production:
    artifacts: [build/service, build/version]
    service:
      run: WEIR_RELEASE=$(cat build/version) exec build/service --port $PORT
      health: /healthz
    listen: 127.0.0.1:${port}
`
// With a file "slow" it prints that many lines in as many half seconds; "broken" fails the second of two tests.
const checkSh = `for line in $(seq "$(cat slow 2>/dev/null || echo 0)"); do echo "checked <b>part</b> $line"; sleep 0.5; done
{ echo 1..2; echo ok 1 - builds; if [ -e broken ]; then echo not ok 2 - says_its_version; else echo ok 2 - says_its_version; fi; } | tee results.tap
test ! -e broken
`

export async function daemon() {
	const work = await mkdtemp(join(tmpdir(), 'weir-web.'))
	await chmod(work, 0o711) // jobs of a root daemon are an ordinary user
	const data = join(work, 'data'), repo = join(work, 'repo'), port = await freePort()
	const git = (...args) => command('git', ['-C', repo, ...args])
	await mkdir(repo)
	await git('init', '-q', '-b', 'main')
	await copyFile(join(here, '../load/service.c'), join(repo, 'service.c'))
	await writeFile(join(repo, 'weir.yml'), weirYml(port))
	await writeFile(join(repo, 'check.sh'), checkSh)
	await writeFile(join(repo, 'version'), 'v0\n')
	await git('add', '-A')
	await git('commit', '-qm', 'Answer with the version')

	const log = []
	const child = spawn('weir', ['serve', '--data', data, '--listen', '127.0.0.1:0'], {cwd: work, env, stdio: ['ignore', 'pipe', 'pipe']})
	child.stderr.on('data', text => log.push(text))
	const url = await Promise.race([
		once(createInterface({input: child.stdout}), 'line').then(([line]) => line.match(/http:\S+/)[0]),
		once(child, 'exit').then(() => { throw new Error(`weir serve ended: ${log.join('')}`) }),
	])
	env.WEIR_URL = url
	await command('weir', ['repo', 'add', 'greeter'])
	await git('remote', 'add', 'weir', `${url}/git/greeter.git`)
	await git('push', '-q', 'weir', 'main:refs/heads/main')

	return {
		url, pid: child.pid,
		// Proposes a commit on top of trunk that writes `files` (text null: takes it away); the number of the change.
		async push(title, files) {
			await git('fetch', '-q', 'weir', 'main')
			await git('checkout', '-q', '-B', 'work', 'FETCH_HEAD')
			for (const [name, text] of Object.entries(files))
				await (text === null ? rm(join(repo, name), {force: true}) : writeFile(join(repo, name), text))
			await git('add', '-A')
			await git('commit', '-qm', title)
			const {stderr} = await git('push', 'weir', 'HEAD:refs/for/main')
			return Number(stderr.match(/Change (\d+), revision/)[1])
		},
		change: async id => JSON.parse((await command('weir', ['status', String(id), '--json'])).stdout),
		until: (id, what) => command('weir', ['status', String(id), '--wait', what, '--timeout', '60s']),
		// What production answers now, asked on a connection of its own.
		served: () => new Promise((resolve, reject) =>
			http.get({port, host: '127.0.0.1', path: '/', agent: false}, answer => {
				let text = ''
				answer.on('data', piece => text += piece).on('end', () => resolve(text.trim()))
			}).on('error', reject)),
		log: () => log.join(''),
		async stop() {
			child.kill()
			if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
			await command('weir', ['stop', '--data', data, '--all']).catch(() => {})
			await command('bash', ['-c', '. "$1/../processes.bash" && kill_processes_of "$2"', 'bash', here, work])
			await rm(work, {recursive: true, force: true, maxRetries: 5})
		},
	}
}
