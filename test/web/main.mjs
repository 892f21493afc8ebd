// Runs the browser tests and prints TAP. Each suite has its own server and goes through its tests one by one; the suites
// go side by side, because one mostly waits for jobs. An argument, `journey` or `pages`, runs one of them.
// SHOTS=folder keeps pictures of every page, wide and narrow, light and dark.
import {quit, tabs} from './browser.mjs'
import * as journey from './journey.mjs'
import * as pages from './pages.mjs'

const suites = Object.entries({journey, pages}).filter(([name]) => name === (process.argv[2] ?? name))
let number = 0, failed = 0

function tell(name, error, said) {
	number++
	if (!error) return console.log(`ok ${number} - ${name}`)
	failed++
	console.log(`not ok ${number} - ${name}\n${`${error.stack}\n${said}`.replace(/^/gm, '# ')}`)
}

async function run(title, suite) {
	const server = await suite.start()
	stops.push(server.stop)
	for (const [name, test] of suite.tests) {
		const t = tabs(server)
		try {
			await test(server, t)
			tell(`${title}: ${name}`)
		} catch (e) {
			tell(`${title}: ${name}`, e, server.log?.() ?? '')
		}
		await t.closeAll()
	}
	if (process.env.SHOTS) await suite.shots(server, tabs(server), process.env.SHOTS)
}

const stops = [quit]
const stop = () => Promise.allSettled(stops.map(stop => stop()))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop().then(() => process.exit(1)))
console.log(`1..${suites.reduce((n, [, suite]) => n + suite.tests.length, 0)}`)
const ends = await Promise.allSettled(suites.map(([title, suite]) => run(title, suite)))
for (const {reason} of ends) if (reason) console.log(`# ${reason.stack}`)
await stop()
process.exit(failed || ends.some(end => end.reason) ? 1 : 0)
