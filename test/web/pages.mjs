// What a person does with the pages. Prints TAP. SHOTS=folder keeps screenshots of every page, wide and narrow, light and dark.
import assert from 'node:assert/strict'
import {mkdirSync} from 'node:fs'
import {chromium} from 'playwright-core'
import {serve} from './server.mjs'

const browser = await chromium.launch({executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox']})
const tests = []
const test = (name, run) => tests.push({name, run})

// A page that fails the test when it complains: a script error, a refused style, a missing file.
async function open(server, path, options = {}) {
	const context = await browser.newContext({viewport: {width: 1280, height: 800}, ...options})
	const page = await context.newPage()
	page.complaints = []
	page.on('pageerror', e => page.complaints.push(String(e)))
	page.on('console', m => m.type() === 'error' && page.complaints.push(m.text()))
	await page.goto(server.url + path)
	return page
}
const say = page => page.locator('.say').last().innerText()
const see = (page, selector, text) => page.locator(selector, {hasText: text}).first().waitFor({timeout: 5000})

test('push, then watch it land live', async server => {
	await server.tell('manual 1')
	const page = await open(server, '/')
	await see(page, '.live', 'live ·')
	const id = await server.tell('push Count redirects per link in memory')
	await see(page, '.mv', 'Count redirects per link in memory')
	await see(page, '.mv .s', 'waits for slot')
	for (let job = 0; job < 2; job++) {
		await server.tell('start')
		await see(page, '.mv .s', `testing ${job} of 2`)
		await server.tell('finish')
	}
	await see(page, '.feed li', 'Landed as')
	await see(page, '.feed li', 'is live in production')
	assert.equal(await page.locator('.mv', {hasText: `#${id}`}).count(), 0)
	assert.deepEqual(page.complaints, [])
})

test('open the failing log of another change', async server => {
	await server.tell('manual 0')
	await server.tell('push Cache resolved links for 60 s fail:test')
	const page = await open(server, '/')
	await page.locator('.feed a', {hasText: 'Cache resolved links'}).first().click()
	assert.match(await page.locator('.say').innerText(), /Ejected at .*1 of 6 tests? fails?|1 of 3 tests fails/)
	assert.match(await page.locator('#fail .box').innerText(), /delete_then_follow[\s\S]*test\/http_test\.c:212[\s\S]*expected 404, got 302/)
	await page.locator('#log a', {hasText: 'whole log'}).click()
	assert.match(await page.locator('pre.log').innerText(), /not ok 2 - delete_then_follow/)
	assert.match(await page.locator('pre.log').innerText(), /<script>alert\(1\)<\/script>/)
	await page.locator('pre.log a').nth(1).click()
	assert.equal(new URL(page.url()).hash, '#L2')
	await page.goBack()
	await page.goBack()
	assert.match(await page.title(), /Cache resolved links/)
	assert.deepEqual(page.complaints, [])
})

test('deploy and roll back by the buttons', async server => {
	await server.tell('push Refuse links longer than 2,048 bytes')
	const page = await open(server, '/environment/production')
	const button = page.locator('#rollback')
	const named = (await button.innerText()).replace('Roll back to ', '')
	await button.click()
	await page.waitForURL('**/environment/production')
	assert.match(await say(page), new RegExp(named))
	await see(page, 'table', 'rolled back to')
	await page.locator('button', {hasText: /^Deploy .* again$/}).first().click()
	await page.waitForURL('**/environment/production')
	assert.doesNotMatch(await say(page), new RegExp(named))
	assert.deepEqual(page.complaints, [])
})

test('a log grows while it is read', async server => {
	await server.tell('manual 1')
	const id = await server.tell('push Report the database age in /healthz')
	await server.tell('start')
	await server.tell('log first line')
	const page = await open(server, `/change/${id}/log/build`)
	await see(page, 'pre.log', 'first line')
	await server.tell('log second <b>line</b>')
	await see(page, 'pre.log', 'second <b>line</b>')
	assert.equal(await page.locator('pre.log > span').count(), 2)
	await server.tell('finish')
	await see(page, '.say', 'Passed')
	await server.tell('start')
	await server.tell('finish')
	assert.deepEqual(page.complaints, [])
})

test('without JavaScript everything is there', async server => {
	await server.tell('manual 0')
	const page = await open(server, '/', {javaScriptEnabled: false})
	assert.equal(await page.locator('meta[http-equiv=refresh]').count(), 1)
	await page.locator('nav a', {hasText: 'Environments'}).click()
	await page.locator('main a', {hasText: 'production'}).click()
	await page.locator('#rollback').click()
	await page.waitForURL('**/environment/production')
	await page.locator('.top input').fill('#2')
	await page.keyboard.press('Enter')
	await page.waitForURL('**/change/2')
})

test('keys go to pages, rows and the button that rolls back', async server => {
	const page = await open(server, '/')
	await page.keyboard.press('?')
	assert.ok(await page.locator('dialog[open]').isVisible())
	await page.keyboard.press('Escape')
	await page.locator('dialog').waitFor({state: 'hidden'})
	await page.keyboard.press('3')
	await page.waitForURL('**/environments')
	await page.keyboard.press('j')
	await page.keyboard.press('Enter')
	await page.waitForURL('**/environment/production')
	await page.keyboard.press('R')
	assert.equal(await page.evaluate(() => document.activeElement.id), 'rollback')
	await page.keyboard.press('/')
	assert.equal(await page.evaluate(() => document.activeElement.name), 'q')
	assert.deepEqual(page.complaints, [])
})

test('read-only mode says why and takes the buttons away', async server => {
	await server.tell('readonly the disk is full')
	const page = await open(server, '/environment/production')
	assert.match(await page.locator('.say').first().innerText(), /Read-only: the disk is full/)
	assert.ok(await page.locator('#rollback').isDisabled())
	await server.tell('readonly')
})

test('one h1, labelled figures, no sideways scrolling at 320 px, within the budget', async server => {
	for (const path of ['/', '/queue', '/environments', '/environment/production', '/change/2', '/change/2/log/test']) {
		const page = await open(server, path, {viewport: {width: 320, height: 640}})
		assert.equal(await page.locator('h1').count(), 1, path)
		assert.equal(await page.locator('svg[role=img]:not([aria-label])').count(), 0, path)
		const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
		assert.ok(wide <= 0, `${path} is ${wide} px too wide`)
		const size = (await (await fetch(server.url + path)).text()).length
		assert.ok(size <= 40 * 1024, `${path} has ${size} bytes`)
		assert.deepEqual(page.complaints, [], path)
		await page.context().close()
	}
})

async function shots(server, folder) {
	mkdirSync(folder, {recursive: true})
	await server.tell('manual 1')
	await server.tell('push Parse Accept-Language only once')
	await server.tell('push Move the key alphabet into a table')
	await server.tell('push A conflict with another change')
	await server.tell('start')
	await server.tell('service 2026-11-22T14:02:11.532Z listening on 8001')
	const pages = {flow: '/', queue: '/queue', change: '/change/2', log: '/change/2/log/test', environments: '/environments', environment: '/environment/production'}
	for (const [name, path] of Object.entries(pages))
		for (const [size, viewport] of Object.entries({wide: {width: 1280, height: 800}, phone: {width: 390, height: 844}}))
			for (const colorScheme of ['light', 'dark']) {
				const page = await open(server, path, {viewport, colorScheme})
				await page.screenshot({path: `${folder}/${name}-${size}-${colorScheme}.png`})
				await page.context().close()
			}
}

const server = await serve()
console.log(`1..${tests.length}`)
let failed = 0
for (const [i, {name, run}] of tests.entries()) {
	try {
		await run(server)
		console.log(`ok ${i + 1} - ${name}`)
	} catch (e) {
		failed++
		console.log(`not ok ${i + 1} - ${name}\n${String(e.stack).replace(/^/gm, '# ')}`)
	}
}
if (process.env.SHOTS) await shots(server, process.env.SHOTS)
await browser.close()
await server.stop()
process.exit(failed ? 1 : 0)
