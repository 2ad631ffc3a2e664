// The store of revocations takes each kind of client of ioredis and iovalkey.
import Fastify from 'fastify'
import keycloak, { redisStore, type RevocationStore } from 'fastify-keycloak-bearer'
import { Cluster as ValkeyCluster, Redis as Valkey } from 'iovalkey'
import { Cluster, Redis } from 'ioredis'

const app = Fastify()
const revocation = (store: RevocationStore) => app.register(keycloak, { issuer: 'https://sso.example.com/realms/acme', adminUrl: { path: '/keycloak' }, revocation: { store } })

revocation(redisStore({ client: new Redis('redis://127.0.0.1') }))
revocation(redisStore({ client: new Cluster([{ host: '127.0.0.1' }]), key: 'own' }))
revocation(redisStore({ client: new Valkey('redis://127.0.0.1') }))
revocation(redisStore({ client: new ValkeyCluster([{ host: '127.0.0.1' }]) }))
revocation(keycloak.redisStore({ client: new Redis({ keyPrefix: 'own:', lazyConnect: true }) }))

// @ts-expect-error a URL is no client
redisStore({ client: 'redis://127.0.0.1' })
// @ts-expect-error node-redis has other commands
redisStore({ client: { sendCommand: async () => 'PONG', duplicate: () => ({}) } })
// @ts-expect-error misspelled
redisStore({ client: new Redis(), keyPrefix: 'own' })
// @ts-expect-error a store can follow
revocation({ publish: async () => {}, close () {} })
