// Many who look at the flow page at once. CROWD=1000 makes them more.
import assert from 'node:assert/strict'
import {once} from 'node:events'
import {readFileSync} from 'node:fs'
import http from 'node:http'
import net from 'node:net'

// Opens `count` streams of the flow page that read, and `mute` that never do.
async function streams(url, count, mute) {
	const agent = new http.Agent({maxSockets: Infinity, keepAlive: false}), {hostname, port} = new URL(url)
	const readers = await Promise.all(Array.from({length: count}, async () => {
		const [answer] = await once(http.get(`${url}/live?page=/`, {agent}), 'response')
		const reader = {answer, text: '', bytes: 0}
		answer.setEncoding('utf8').on('data', piece => {
			reader.bytes += piece.length
			reader.text = (reader.text + piece).slice(-200000)
		})
		return reader
	}))
	const silent = await Promise.all(Array.from({length: mute}, async () => {
		const socket = net.connect(Number(port), hostname).pause()
		await once(socket, 'connect')
		socket.write(`GET /live?page=/ HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`)
		return socket
	}))
	return {
		readers,
		close() {
			for (const {answer} of readers) answer.destroy()
			for (const socket of silent) socket.destroy()
		},
	}
}

// Of the process: resident megabytes, seconds of processor time.
function cost(pid) {
	const stat = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ')
	return {mb: Number(stat[21]) * 4096 / 1e6, cpu_s: (Number(stat[11]) + Number(stat[12])) / 100}
}

// Asks the daemon something small again and again; stop() tells the slowest answer in ms.
function impatient(url) {
	let slowest = 0, on = true
	const ended = (async () => {
		while (on) {
			const began = performance.now()
			const answer = await fetch(`${url}/api/v1/queue`)
			assert.equal(answer.status, 200)
			await answer.text()
			slowest = Math.max(slowest, performance.now() - began)
			await new Promise(done => setTimeout(done, 50))
		}
	})()
	return async () => {
		on = false
		await ended
		return Math.round(slowest)
	}
}

export async function crowd(host) {
	const COUNT = Number(process.env.CROWD ?? 300), MUTE = COUNT / 10
	const before = cost(host.pid), open = await streams(host.url, COUNT, MUTE)
	const stop = impatient(host.url), began = performance.now()
	const id = await host.push('Greet the crowd', {version: 'crowd\n', slow: null})
	await host.until(id, 'deployed')
	const took = Math.round(performance.now() - began)
	const told = () => open.readers.filter(reader => /Greet the crowd[^]*is live in production/.test(reader.text)).length
	for (const end = Date.now() + 10000; told() < COUNT && Date.now() < end;) await new Promise(done => setTimeout(done, 100))
	const slowest = await stop(), after = cost(host.pid)
	const figures = `${COUNT} readers and ${MUTE} mute: pushed and live in ${took} ms, slowest answer ${slowest} ms, ` +
		`${before.mb.toFixed(0)} -> ${after.mb.toFixed(0)} MB, ${(after.cpu_s - before.cpu_s).toFixed(2)} s of processor`
	console.log(`# ${figures}`)
	assert.equal(told(), COUNT, figures)
	open.close()
	// On a busy machine time says little; processor time and memory say whether one more page is cheap.
	const slow = process.env.VARIANT === 'asan' ? 5 : 1
	assert.ok(slowest < 10000, figures)
	assert.ok(after.cpu_s - before.cpu_s < slow * (0.5 + COUNT * 0.004), figures)
	assert.ok(after.mb - before.mb < slow * (20 + COUNT * 0.2), figures)
	assert.equal(await host.served(), 'hello from crowd')
}
