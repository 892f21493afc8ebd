// What a person does with the pages, on a pretended host: it brings a page into any state at once.
import assert from 'node:assert/strict'
import {assertFits, assertQuiet, say, see, shoot} from './browser.mjs'
import {serve} from './pretended.mjs'

export const start = serve
export const tests = []
const test = (name, run) => tests.push([name, run])

test('push, then watch it land live', async (server, t) => {
	await server.tell('manual 1')
	const page = await t.open('/')
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
	assertQuiet(page)
})

test('open the failing log of another change', async (server, t) => {
	await server.tell('manual 0')
	await server.tell('push Cache resolved links for 60 s fail:test')
	const page = await t.open('/')
	await page.locator('.feed a', {hasText: 'Cache resolved links'}).first().click()
	assert.match(await page.locator('.say').innerText(), /Ejected at .*1 of \d tests failed/)
	assert.match(await page.locator('#fail .box').innerText(), /delete_then_follow[\s\S]*test\/http_test\.c:212[\s\S]*expected 404, got 302/)
	await page.locator('#log a', {hasText: 'whole log'}).click()
	assert.match(await page.locator('pre.log').innerText(), /not ok 2 - delete_then_follow/)
	assert.match(await page.locator('pre.log').innerText(), /<script>alert\(1\)<\/script>/)
	await page.locator('pre.log a').nth(1).click()
	assert.equal(new URL(page.url()).hash, '#L2')
	await page.goBack()
	await page.goBack()
	assert.match(await page.title(), /Cache resolved links/)
	assertQuiet(page)
})

test('deploy and roll back by the buttons', async (server, t) => {
	await server.tell('push Refuse links longer than 2,048 bytes')
	const page = await t.open('/environment/production')
	const button = page.locator('#rollback')
	const named = (await button.innerText()).replace('Roll back to ', '')
	await button.click()
	await page.waitForURL('**/environment/shortlink/production')
	assert.match(await say(page), new RegExp(named))
	await see(page, 'table', 'rolled back to')
	await page.locator('button', {hasText: /^Deploy .* again$/}).first().click()
	await page.waitForURL('**/environment/shortlink/production')
	assert.doesNotMatch(await say(page), new RegExp(named))
	assertQuiet(page)
})

test('a log grows while it is read', async (server, t) => {
	await server.tell('manual 1')
	const id = await server.tell('push Report the database age in /healthz')
	await server.tell('start')
	await server.tell('log first line')
	const page = await t.open(`/change/${id}/log/build`)
	await see(page, 'pre.log', 'first line')
	await server.tell('log second <b>line</b>')
	await see(page, 'pre.log', 'second <b>line</b>')
	assert.equal(await page.locator('pre.log > span').count(), 2)
	await server.tell('finish')
	await see(page, '.say', 'Passed')
	await server.tell('start')
	await server.tell('finish')
	assertQuiet(page)
})

test('without JavaScript everything is there', async (server, t) => {
	await server.tell('manual 0')
	const page = await t.open('/', {javaScriptEnabled: false})
	assert.equal(await page.locator('meta[http-equiv=refresh]').count(), 1)
	await page.locator('nav a', {hasText: 'Environments'}).click()
	await page.locator('main a', {hasText: 'production'}).click()
	await page.locator('#rollback').click()
	await page.waitForURL('**/environment/shortlink/production')
	await page.locator('.top input').fill('#2')
	await page.keyboard.press('Enter')
	await page.waitForURL('**/change/2')
})

test('keys go to pages, rows and the button that rolls back', async (server, t) => {
	const page = await t.open('/')
	await page.keyboard.press('?')
	assert.ok(await page.locator('dialog[open]').isVisible())
	await page.keyboard.press('Escape')
	await page.locator('dialog').waitFor({state: 'hidden'})
	await page.keyboard.press('3')
	await page.waitForURL('**/environments')
	await page.keyboard.press('j')
	await page.keyboard.press('Enter')
	await page.waitForURL('**/environment/shortlink/production')
	await page.keyboard.press('R')
	assert.equal(await page.evaluate(() => document.activeElement.id), 'rollback')
	await page.keyboard.press('/')
	assert.equal(await page.evaluate(() => document.activeElement.name), 'q')
	assertQuiet(page)
})

test('read-only mode says why and takes the buttons away', async (server, t) => {
	await server.tell('readonly the disk is full')
	const page = await t.open('/environment/production')
	assert.match(await page.locator('.say').first().innerText(), /Read-only: the disk is full/)
	assert.ok(await page.locator('#rollback').isDisabled())
	await server.tell('readonly')
})

test('one h1, labelled figures, no sideways scrolling at 320 px, within the budget', async (server, t) => {
	const page = await t.open('/', {viewport: {width: 320, height: 640}})
	for (const path of ['/', '/queue', '/environments', '/environment/production', '/change/2', '/change/2/log/test']) {
		await page.goto(server.url + path)
		assert.equal(await page.locator('h1').count(), 1, path)
		assert.equal(await page.locator('svg[role=img]:not([aria-label])').count(), 0, path)
		await assertFits(page, ':has(>table)')
		const size = (await (await fetch(server.url + path)).text()).length
		assert.ok(size <= 40 * 1024, `${path} has ${size} bytes`)
	}
	assertQuiet(page)
})

export async function shots(server, t, folder) {
	await server.tell('manual 1')
	await server.tell('push Parse Accept-Language only once')
	await server.tell('push Move the key alphabet into a table')
	await server.tell('push A conflict with another change')
	await server.tell('start')
	await server.tell('service 2026-11-22T14:02:11.532Z listening on 8001')
	await shoot(t, folder, {flow: '/', queue: '/queue', change: '/change/2', log: '/change/2/log/test',
		environments: '/environments', environment: '/environment/production'})
}
