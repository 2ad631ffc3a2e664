// One start: node one-start.mjs bare|ours|ours-cjs, from the import of Fastify to listening; or node one-start.mjs import NAME, the
// import of a module after Fastify's. Says milliseconds by the clock, and of CPU time.
import { createRequire } from 'node:module'

const [what, name] = process.argv.slice(2)
const options = { issuer: 'https://sso.example.com/realms/acme', clientId: 'api', audience: 'api' }
const require = createRequire(import.meta.url)

let begun = now()
const { default: Fastify } = what === 'ours-cjs' ? { default: require('fastify') } : await import('fastify')
if (what === 'import') {
  begun = now()
  await import(name)
} else {
  const app = Fastify()
  if (what === 'ours') await app.register((await import('../dist/esm/index.js')).default, options)
  if (what === 'ours-cjs') await app.register(require('../dist/cjs/index.js'), options)
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
