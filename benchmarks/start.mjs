// One start: node start.mjs bare, or node start.mjs esm|cjs FOLDER of a build, from the import of Fastify to listening; or
// node start.mjs import NAME, the import of a package after Fastify's. It prints milliseconds of wall-clock and of processor time.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [kind, name] = process.argv.slice(2)
const options = { issuer: 'https://sso.example.com/realms/acme', clientId: 'api', audience: 'api' }
const require = createRequire(import.meta.url)

let begun = now()
const { default: Fastify } = kind === 'cjs' ? { default: require('fastify') } : await import('fastify')
if (kind === 'import') {
  begun = now()
  await import(name)
} else {
  const app = Fastify()
  if (kind === 'esm') await app.register((await import(pathToFileURL(`${name}/dist/esm/index.js`).href)).default, options)
  if (kind === 'cjs') await app.register(require(`${name}/dist/cjs/index.js`), options)
  app.get('/profile', { config: { permission: 'read-profile' } }, async () => ({ hello: 'somebody' }))
  await app.listen({ port: 0, host: '127.0.0.1' })
}
const ended = now()
console.log(`RESULT ${JSON.stringify({ clock: ended.clock - begun.clock, cpu: ended.cpu - begun.cpu })}`)
process.exit()

function now () {
  const { user, system } = process.cpuUsage()
  return { clock: performance.now(), cpu: (user + system) / 1000 }
}
