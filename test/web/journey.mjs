// The way of changes from a push to production and back, on a real daemon: git, sandboxed jobs, a proxy, a service. Each
// test goes on where the one before ended, as a person would.
import assert from 'node:assert/strict'
import {PHONE, assertFits, assertQuiet, say, see, shoot, witness} from './browser.mjs'
import {daemon} from './daemon.mjs'
import {crowd} from './crowd.mjs'

export const start = daemon
export const tests = []
const test = (name, run) => tests.push([name, run])
const PRODUCTION = '/environment/greeter/production'

test('a pushed change is seen to be tested, to land and to go live, without a reload', async (host, t) => {
	const flow = await t.open('/'), production = await t.open(PRODUCTION)
	await see(production, '.say', 'nothing deployed yet')
	await see(flow, '.live', 'live ·')
	const states = await witness(flow, '.mv .s')
	const id = await host.push('Greet as v1', {version: 'v1\n', slow: '3\n'}) // long enough to be seen
	await see(flow, '.feed li', 'Landed as')
	await see(flow, '.feed li', 'is live in production')
	const seen = (await states.texts()).join('\n')
	assert.match(seen, /testing \d of 2/)
	assert.equal(await flow.locator('.mv', {hasText: `#${id}`}).count(), 0)
	await see(production, '.say', 'production: healthy.')
	assert.equal(await host.served(), 'hello from v1')
	assertQuiet(flow, production)
})

test('a failing test is named on its change and in the log behind it', async (host, t) => {
	const flow = await t.open('/')
	await see(flow, '.live', 'live ·')
	await host.push('Forget the version', {broken: '', version: 'v2\n', slow: null})
	await flow.locator('.feed a', {hasText: 'Forget the version'}).first().click()
	assert.match(await flow.locator('.say').innerText(), /Ejected at .*1 of 2 tests failed/)
	assert.match(await flow.locator('#fail .box').innerText(), /says_its_version/)
	await flow.locator('#fail a', {hasText: 'log of test'}).click()
	assert.match(await flow.locator('.say').innerText(), /Failed after .*1 of 2 tests failed/)
	assert.match(await flow.locator('pre.log').innerText(), /not ok 2 - says_its_version/)
	assert.equal(await host.served(), 'hello from v1')
	assertQuiet(flow)
})

test('a log grows while its job runs, and the release of the change goes live on the open page', async (host, t) => {
	const production = await t.open(PRODUCTION), page = await t.open('/'), LINES = 16
	const loaded = await witness(production, '.say')
	const id = await host.push('Greet as v2', {version: 'v2\n', slow: `${LINES}\n`})
	await page.locator('.mv a', {hasText: 'Greet as v2'}).click()
	await page.locator('a[href$="/log/test"]').first().click()
	await see(page, 'pre.log', 'checked <b>part</b> 1')
	assert.match(await say(page), /Running since/)
	const lines = page.locator('pre.log > span'), early = await lines.count()
	await see(page, 'pre.log', `checked <b>part</b> ${LINES}`)
	assert.ok(early < LINES, `${early} lines were there at once`)
	await see(page, '.say', 'Passed in')
	const checked = Array.from({length: LINES}, (_, n) => `checked <b>part</b> ${n + 1}`)
	assert.deepEqual((await lines.allInnerTexts()).map(line => line.trim()),
		[...checked, '1..2', 'ok 1 - builds', 'ok 2 - says_its_version'].map((text, n) => `${n + 1}${text}`))
	await see(production, '.say', `(#${id}) serves since`)
	await see(production, '#log', 'release v2 serves')
	await loaded.texts()
	assert.equal(await host.served(), 'hello from v2')
	assertQuiet(production, page)
})

test('the button rolls production back, another one deploys again', async (host, t) => {
	const page = await t.open(PRODUCTION), watched = await t.open(PRODUCTION)
	const loaded = await witness(watched, '.say')
	await page.locator('#rollback').click()
	await see(page, 'table', 'rolled back to')
	await see(page, '.say', 'production: healthy.')
	assert.equal(await host.served(), 'hello from v1')
	await see(watched, 'table', 'rolled back to')
	await loaded.texts()
	await see(page, 'li', 'blocked here after it was rolled back')
	await page.locator('button', {hasText: /^Deploy .* again$/}).click()
	await see(page, 'li:first-child', 'serves now')
	assert.equal(await host.served(), 'hello from v2')
	assertQuiet(page, watched)
})

test('without JavaScript a push is there after a reload, and rolling back is a form', async (host, t) => {
	const page = await t.open('/', {javaScriptEnabled: false})
	const id = await host.push('Greet as v3', {version: 'v3\n', slow: null})
	await page.reload()
	await see(page, '.mv, .feed li', 'Greet as v3')
	await host.until(id, 'deployed')
	assert.equal(await host.served(), 'hello from v3')
	await page.goto(host.url + PRODUCTION)
	await page.locator('#rollback').click()
	await page.waitForURL('**' + PRODUCTION)
	for (const end = Date.now() + 20000; !/healthy.*#3/.test(await say(page)); await page.reload())
		assert.ok(Date.now() < end, 'not rolled back within 20 s')
	assert.equal(await host.served(), 'hello from v2')
	assertQuiet(page)
})

test('no page is wider than a phone', async (host, t) => {
	const page = await t.open('/', {viewport: PHONE})
	for (const path of Object.values(PAGES)) {
		await page.goto(host.url + path)
		await assertFits(page)
		assert.equal(await page.getByText(/\b(1 lines|1 tests|1 changes|1 files|(?<!\.)0\.0\ss)\b/).count(), 0, path)
	}
	assertQuiet(page)
})

test('300 open pages and 30 that never read do not slow the daemon', crowd)

const PAGES = {flow: '/', queue: '/queue', 'change-landed': '/change/1', 'change-failed': '/change/2', 'log-failed': '/change/2/log/test',
	'log-passed': '/change/3/log/test', environments: '/environments', environment: PRODUCTION}

export async function shots(host, t, folder) {
	const id = await host.push('Answer in the language that the browser asks for', {version: 'v4\n', slow: '60\n'})
	await host.push('Take ten links at once and say for each which of them were refused and why', {version: 'v5\n'})
	await shoot(t, folder, Object.fromEntries(Object.entries({...PAGES, 'change-testing': `/change/${id}`, 'log-running': `/change/${id}/log/test`})
		.map(([name, path]) => [`real-${name}`, path])))
}
