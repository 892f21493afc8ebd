// The server under test: web_test in its mode "serve". Commands go to its standard input, each answered by a line.
import {spawn} from 'node:child_process'
import {createInterface} from 'node:readline'

export async function serve() {
	const build = process.env.WEIR_BUILD ?? new URL('../../build/rel', import.meta.url).pathname
	const child = spawn(`${build}/test/web/web_test`, ['serve'], {stdio: ['pipe', 'pipe', 'inherit']})
	const lines = createInterface({input: child.stdout})[Symbol.asyncIterator]()
	const url = (await lines.next()).value
	return {
		url,
		async tell(command) {
			child.stdin.write(command + '\n')
			return (await lines.next()).value
		},
		async stop() {
			child.stdin.end()
			await new Promise(done => child.on('exit', done))
		},
	}
}
