// Chromium, and what every test asks of a page.
import assert from 'node:assert/strict'
import {mkdirSync} from 'node:fs'
import {chromium} from 'playwright-core'

const SEEN_MS = 30000 // a bound on hanging, not on speed
export const WIDE = {width: 1280, height: 800}
export const PHONE = {width: 390, height: 844}

const browser = await chromium.launch({executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox']})
export const quit = () => browser.close()

// One for each test: the pages it opens end with it, so that no left-over page goes on listening.
export function tabs(server) {
	const contexts = []
	return {
		// A page that collects its complaints: a script error, a refused style, a missing file.
		async open(path, options = {}) {
			const context = await browser.newContext({viewport: WIDE, ...options})
			contexts.push(context)
			const page = await context.newPage()
			page.setDefaultTimeout(SEEN_MS)
			page.complaints = []
			page.on('pageerror', e => page.complaints.push(String(e)))
			page.on('console', m => m.type() === 'error' && page.complaints.push(m.text()))
			await page.goto(server.url + path)
			return page
		},
		closeAll: () => Promise.all(contexts.map(context => context.close())),
	}
}

export const say = page => page.locator('.say').last().innerText()
export const see = (page, selector, text) => page.locator(selector, {hasText: text}).first().waitFor()

// What `selector` showed at any time, however shortly; await it before something happens. texts() fails if the page was
// loaded again since.
export async function witness(page, selector) {
	await page.evaluate(selector => {
		const texts = window.witnessed = []
		const look = () => document.querySelectorAll(selector).forEach(e => texts.push(e.textContent))
		look()
		new MutationObserver(look).observe(document.body, {childList: true, subtree: true, characterData: true})
	}, selector)
	return {
		async texts() {
			const texts = await page.evaluate(() => window.witnessed)
			assert.ok(texts, 'the page was loaded again')
			return texts
		},
	}
}

// Nothing makes the page wider than the window, and nothing on it has to be scrolled sideways but `besides`.
export async function assertFits(page, besides = 'none') {
	const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
	assert.ok(wide <= 0, `${page.url()} is ${wide} px too wide`)
	const cut = await page.evaluate(besides => [...document.querySelectorAll(`:is(section,.steps):not(${besides})`)]
		.filter(e => e.scrollWidth > e.clientWidth).map(e => `${e.dataset.live} ${e.scrollWidth - e.clientWidth} px`), besides)
	assert.deepEqual(cut, [], `${page.url()}: what scrolls sideways`)
}

export const assertQuiet = (...pages) => {
	for (const page of pages) assert.deepEqual(page.complaints, [], page.url())
}

// Pictures of `pages` {name: path}, from top to bottom.
export async function shoot(t, folder, pages) {
	mkdirSync(folder, {recursive: true})
	for (const [name, path] of Object.entries(pages))
		for (const [size, viewport] of Object.entries({wide: WIDE, phone: PHONE}))
			for (const colorScheme of ['light', 'dark']) {
				const page = await t.open(path, {viewport, colorScheme})
				await page.screenshot({path: `${folder}/${name}-${size}-${colorScheme}.png`, fullPage: true})
			}
	await t.closeAll()
}
