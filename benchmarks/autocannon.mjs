// The load without wrk: node autocannon.mjs '{"url":…,"file":…,"size":…,"count":…,"seconds":…,"connections":…}'
import { closeSync, openSync, readSync } from 'node:fs'
import autocannon from 'autocannon'

const { url, file, size, count, seconds, connections } = JSON.parse(process.argv[2])
const requests = openSync(file, 'r')
const buffer = Buffer.alloc(size)
const kept = []
let at = 0

const result = await autocannon({
  url,
  connections,
  duration: seconds,
  requests: [{
    path: '/profile',
    setupRequest: (request) => ({ ...request, headers: { host: 'api.example.com', accept: 'application/json', authorization: next() } })
  }]
})
closeSync(requests)
console.log(`RESULT ${JSON.stringify({
  requests: result.requests.total,
  microseconds: Math.round(result.duration * 1e6),
  p50: result.latency.p50 * 1000,
  p99: result.latency.p99 * 1000,
  failed: result.non2xx + result.errors + result.timeouts
})}`)

function next () {
  const now = at
  at = (at + 1) % count
  if (kept[now] !== undefined) return kept[now]
  readSync(requests, buffer, 0, size, now * size)
  const authorization = /^authorization: (.*)$/im.exec(buffer.toString('latin1'))[1].trim()
  if (count <= 1000) kept[now] = authorization
  return authorization
}
