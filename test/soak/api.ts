// The API under load, in a process of its own: argv[2] holds the plugin's options. It listens on a free port of
// 127.0.0.1, and tells its parent what it is asked for: memory and open sockets, or how long closing takes.
import Fastify from 'fastify'
import keycloak from '../../index.js'

const app = Fastify({ logger: { level: 'fatal' } })
await app.register(keycloak, JSON.parse(process.argv[2]!))
app.get('/open', async ({ user }) => ({ user }))
app.get('/profile', { config: { permission: 'read-profile' } }, async ({ user }) => ({ user: user.username }))
const url = await app.listen({ port: 0, host: '127.0.0.1' })

for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
  process.on(event, (error: Error) => { process.send!({ fault: `${event}: ${error.message}` }) })
}

// Without its parent it has nobody to tell, and nothing to do.
process.once('disconnect', () => process.exit())
process.on('message', async (question) => {
  if (question === 'usage') {
    globalThis.gc?.()
    const resources = process.getActiveResourcesInfo()
    process.send!({
      memory: process.memoryUsage().heapUsed,
      cpu: process.cpuUsage().user + process.cpuUsage().system,
      sockets: resources.filter((name) => name.startsWith('TCPSocketWrap')).length
    })
  } else if (question === 'health') {
    process.send!({ health: app.keycloak.health() })
  } else if (question === 'close') {
    const started = performance.now()
    await app.close()
    process.send!({ closed: performance.now() - started })
  }
})
process.send!({ url })
