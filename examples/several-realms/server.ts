// `npm start`: three realms in this process, of which the API knows two. On your Keycloak: KEYCLOAK_ISSUER is the realm of the
// staff, and the tenants are added as below.
import { createTestRealm } from 'fastify-keycloak-bearer/testing'
import { buildApp } from './app.js'
import { TenantTable } from './tenants.js'

const { KEYCLOAK_ISSUER, PORT = '3000' } = process.env

const realmOf = (name: string) => createTestRealm({ name, tokenLifespan: 8 * 3600 })
const own = KEYCLOAK_ISSUER === undefined ? await realmOf('staff') : undefined
const [acme, globex] = [await realmOf('acme'), await realmOf('globex')]

const tenants = new TenantTable()
await tenants.insert({ name: 'acme', issuer: acme.issuer, clientId: 'api' })
const app = await buildApp(tenants, { issuer: own?.issuer ?? KEYCLOAK_ISSUER!, clientId: 'api', audience: 'api' })
app.addHook('onClose', async () => { for (const realm of [own, acme, globex]) await realm?.close() })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { app.close() })

const url = await app.listen({ port: Number(PORT), host: '127.0.0.1' })
const row = JSON.stringify({ name: 'globex', issuer: globex.issuer, clientId: 'api' })
console.log(`
An API of tenants at ${url}. Paste into another terminal:

STAFF=${own?.token({ username: 'olga', roles: ['operator'] }) ?? '…   # of your realm, with the role "operator" of the client "api"'}
ACME=${acme.token({ username: 'alice' })}
GLOBEX=${globex.token({ username: 'alice' })}

curl -i ${url}/tenants/acme/notes -H "Authorization: Bearer $ACME"       # 200
curl -i -X POST ${url}/table -H "Authorization: Bearer $ACME" -H "Content-Type: application/json" -d '${row}'   # 403: not of the staff
curl -i -X POST ${url}/table -H "Authorization: Bearer $STAFF" -H "Content-Type: application/json" -d '${row}'  # 201
curl -i ${url}/tenants/globex/notes -H "Authorization: Bearer $GLOBEX"   # 200: without a restart
curl -i ${url}/tenants/globex/notes -H "Authorization: Bearer $ACME"     # 401: a token of another tenant
curl -i -X DELETE ${url}/table/globex -H "Authorization: Bearer $STAFF"  # 204
curl -i ${url}/tenants/globex/notes -H "Authorization: Bearer $GLOBEX"   # 401: the tenant has ended

Ctrl+C ends it.`)
