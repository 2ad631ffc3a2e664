// The code of docs/testing.md, run: what a comment says of a request must come true.
import { readFileSync } from 'node:fs'
import { mock } from 'node:test'
import swagger from '@fastify/swagger'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance, type LightMyRequestResponse } from 'fastify'
import t from 'tap'
import ts from 'typescript'
import keycloak from '../../index.js'
import { createTestRealm } from '../../lib/testing/index.js'
import type { KeycloakOptions } from '../../types/options.js'

const page = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8')

/** A request on a line of its own, and the status and code that the comment behind it promises. */
const PROMISE = /^await ((?:realm|app)\.inject\(.*\)) +\/\/ (\d{3})(?: (\w+))?.*$/gm

/** Its code blocks in TypeScript by section, but those that need a real Keycloak. */
function sections (): Array<[name: string, blocks: string[]]> {
  return page.split(/^## /m).slice(1)
    .map((section): [string, string[]] => [section.split('\n', 1)[0]!, [...section.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code!)])
    .filter(([name, blocks]) => blocks.length > 0 && name !== 'A real Keycloak')
}

function runnable (code: string): string {
  const script = code.replace(/^import .*$/gm, '').replace(/^export /gm, '').replace(PROMISE, "promised(await $1, $2, '$3')")
  return ts.transpile(`{ ${script} }`, { target: ts.ScriptTarget.ES2022 })
}

/** What the page speaks of. */
async function buildApp (options: KeycloakOptions): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, { openapi: {}, transform: keycloak.openapi() })
  await app.register(websocket)
  await app.register(keycloak, options)
  app.get('/health', async () => 'ok')
  app.get('/profile', { config: { permission: 'read-profile' } }, async (request) => request.user)
  app.post('/orders', { config: { scope: 'write' } }, async (_, reply) => reply.code(201).send())
  app.delete('/orders/:id', { config: { authenticated: true } }, async () => 'gone')
  app.get('/live', { websocket: true, config: { permission: 'listen' } }, (socket) => socket.close())
  return app
}

for (const [name, blocks] of sections()) {
  t.test(name, async t => {
    const realm = await createTestRealm()
    t.teardown(() => realm.close())
    t.teardown(() => mock.timers.reset())
    const app = await buildApp(realm.options)
    const given = {
      Fastify,
      keycloak,
      createTestRealm,
      buildApp,
      realm,
      app,
      url: await app.listen({ host: '127.0.0.1', port: 0 }),
      advance (seconds: number) {
        mock.timers.enable({ apis: ['Date'], now: Date.now() })
        mock.timers.tick(seconds * 1000)
      },
      promised (response: LightMyRequestResponse, status: number, code: string) {
        t.equal(response.statusCode, status)
        if (code !== '') t.equal(response.json().code, code)
      }
    }
    for (const block of blocks) await run(runnable(block), given)
    t.pass('the code runs')
  })
}

t.test('the page promises what these tests look for', async t => {
  t.ok(page.match(PROMISE)!.length >= 20)
  t.ok(sections().length >= 10)
})

async function run (script: string, given: object): Promise<void> {
  const AsyncFunction = (async () => {}).constructor as new (...source: string[]) => (...values: unknown[]) => Promise<void>
  await new AsyncFunction(...Object.keys(given), script)(...Object.values(given))
}
