// One cold start: node start.mjs '{"kind":"esm","build":"/…","issuer":"http://…","token":"…"}', from the import of Fastify to listening, and to
// the answer of the first request, which comes over a socket as soon as the server listens. The kind is bare, esm or cjs for this
// package, or jose; { "kind": "import", "name": "…" } is the import of a package after Fastify's. It prints milliseconds of wall-clock
// and of processor time.
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { pathToFileURL } from 'node:url'

const CLIENT = 'api'
const { kind, name, build, issuer, token } = JSON.parse(process.argv[2])
const require = createRequire(import.meta.url)

let begun = now()
const result = kind === 'import' ? await imported() : await started()
console.log(`RESULT ${JSON.stringify(result)}`)
process.exit()

async function imported () {
  await import('fastify')
  begun = now()
  await import(name)
  return since()
}

async function started () {
  const server = kind === 'jose' ? await (await import('./competitors.mjs')).SERVERS.jose({ issuer, clientId: CLIENT }) : await fastifyServer()
  const listening = since()
  const status = await request(server.address().port)
  const answered = since()
  if (status !== 200) throw new Error(`the first request was answered ${status}`)
  return { ...listening, answered }
}

async function fastifyServer () {
  const { default: Fastify } = kind === 'cjs' ? { default: require('fastify') } : await import('fastify')
  const app = Fastify()
  // Without the warnings of the start, which nobody keeps in production.
  const options = { issuer, clientId: CLIENT, audience: CLIENT, acceptRisks: ['user_id_mutable', 'token_lifetime_unlimited'] }
  if (kind === 'esm') await app.register((await import(pathToFileURL(`${build}/dist/esm/index.js`).href)).default, options)
  if (kind === 'cjs') await app.register(require(`${build}/dist/cjs/index.js`), options)
  app.get('/profile', { config: { permission: 'read-profile' } }, async () => ({ hello: 'somebody' }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server
}

/** Resolves to the status of the answer. A bare socket, because a client of HTTP would take some of the time. */
async function request (port) {
  const socket = connect(port, '127.0.0.1')
  socket.write(`GET /profile HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer ${token}\r\n\r\n`)
  const [bytes] = await once(socket, 'data')
  return Number(bytes.toString('latin1').split(' ', 2)[1])
}

function since () {
  const { clock, cpu } = now()
  return { clock: clock - begun.clock, cpu: cpu - begun.cpu }
}

function now () {
  const { user, system } = process.cpuUsage()
  return { clock: performance.now(), cpu: (user + system) / 1000 }
}
