// An application that is older than the package in its process, as with `require('fastify-keycloak-bearer')` after Fastify().
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import type { Log } from '../support/app.js'

const config = { permission: 'admin' } as const
const handler = async () => 'ok'

/** A log that keeps its lines; that of support/app.js would load the package. */
function logging (): { logger: { stream: { write: (line: string) => void } }, lines: () => Log['lines'] } {
  const lines: string[] = []
  return { logger: { stream: { write: (line) => { lines.push(line) } } }, lines: () => lines.map((line) => JSON.parse(line)) }
}

const logs = [logging(), logging()]
const [one, two]: FastifyInstance[] = logs.map(({ logger }) => Fastify({ logger, exposeHeadRoutes: false }))
const { default: keycloak } = await import('../../index.js')
const { ask, realmFor, WARN } = await import('../support/app.js')

const warningsOf = (at: number) => logs[at]!.lines().filter(({ level }) => level === WARN).map(({ code, msg }) => `${code}: ${msg}`)

t.test('early routes are guarded, and each is named at its first request', async (t) => {
  const realm = await realmFor(t)
  t.teardown(() => one!.close())
  one!.options('*', async () => 'as @fastify/cors has it')
  one!.register(keycloak, realm.options)
  one!.get('/early', { config }, handler)
  one!.get('/mcp', { config: { mcp: true } }, handler)
  one!.register(async (child) => { child.get('/', { config }, handler) }, { prefix: '/child' })
  await one!.ready()
  t.same(warningsOf(0), [])
  for (let times = 0; times < 2; times++) {
    t.equal(await ask(one!, '/early'), '401 not_authenticated')
    t.equal(await ask(one!, '/child'), '401 not_authenticated')
    t.equal((await one!.inject({ method: 'OPTIONS', url: '/any' })).statusCode, 200)
  }
  for (let times = 0; times < 2; times++) t.equal((await one!.inject('/mcp')).statusCode, 500, 'a route whose tools could not be checked')
  t.match(warningsOf(0), [/^early_routes: a route was added before fastify-keycloak-bearer had loaded \(GET \/early\)\. Such routes are guarded/])
  t.equal(warningsOf(0).length, 1)
})

t.test('rules outside of its scope are named as far as they were added since', async (t) => {
  const realm = await realmFor(t)
  t.teardown(() => two!.close())
  two!.get('/before', { config }, handler)
  await two!.register(async (around) => {
    await around.register(async (scope) => {
      await scope.register(keycloak, realm.options)
      scope.get('/inside', { config }, handler)
    })
    around.get('/around', { config }, handler)
  })
  await two!.register(async (sibling) => {
    await sibling.register(keycloak, realm.options)
    sibling.get('/beside', { config }, handler)
  })
  two!.get('/root', { config }, handler)
  await two!.register(async (after) => { after.get('/after', { config }, handler) })
  for (const url of ['/before', '/around', '/root', '/after']) t.equal(await ask(two!, url), '200', url)
  for (const url of ['/inside', '/beside']) t.equal(await ask(two!, url), '401 not_authenticated', url)
  t.match(warningsOf(1), [/^routes_outside: .* \(GET \/around; GET \/root; GET \/after\)/])
  t.equal(warningsOf(1).length, 1)
})
