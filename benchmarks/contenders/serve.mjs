// One contender in its own process: node serve.mjs '{"contender":"ours","mode":"default","realm":{…}}'
// It says its port, answers questions about its usage, and ends with whoever started it.
const { contender, mode, realm } = JSON.parse(process.argv[2])
process.on('disconnect', () => process.exit())

const { start } = await import(`./${contender}.mjs`)
const server = await start(realm, mode)

process.on('message', () => {
  globalThis.gc?.()
  process.send({ cpu: process.cpuUsage(), memory: process.memoryUsage() })
})
process.send({ port: server.address().port })
