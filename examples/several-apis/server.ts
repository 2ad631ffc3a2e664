// `npm start`: on two realms in this process, or on those at KEYCLOAK_ISSUER and PARTNERS_ISSUER. APIS=/orders starts that one
// alone: in two terminals, with a PORT each, they are two processes.
import { createTestRealm } from 'fastify-keycloak-bearer/testing'
import { ALL, buildApp, type Path } from './app.js'
import { tokenFor, type Access } from './tokens.js'

const { KEYCLOAK_ISSUER, PARTNERS_ISSUER, APIS = ALL.join(), PORT = '3000' } = process.env

const LIFESPAN = { tokenLifespan: 8 * 3600 }
const shop = KEYCLOAK_ISSUER === undefined ? await createTestRealm({ name: 'shop', ...LIFESPAN }) : undefined
const partners = PARTNERS_ISSUER === undefined ? await createTestRealm({ name: 'partners', ...LIFESPAN }) : undefined
const paths = APIS.split(',') as Path[]
for (const path of paths) if (!ALL.includes(path)) throw new Error(`APIS is "${APIS}", which should be some of ${ALL.join()}`)

const app = await buildApp({ shop: shop?.issuer ?? KEYCLOAK_ISSUER!, partners: partners?.issuer ?? PARTNERS_ISSUER! }, paths)
app.addHook('onClose', async () => {
  await shop?.close()
  await partners?.close()
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { app.close() })

const url = await app.listen({ port: Number(PORT), host: '127.0.0.1' })
const token = (realm: typeof shop, access: Access) => realm === undefined ? '…   # of your realm' : tokenFor(realm, access)
console.log(`
${paths.join(', ')} at ${url}. Paste into another terminal:

ORDERS=${token(shop, { orders: ['write'] })}
BOTH=${token(shop, { orders: ['write'], billing: [] })}
PARTNER=${token(partners, { orders: ['write'] })}

curl -i ${url}/orders -H "Authorization: Bearer $ORDERS"                # 200
curl -i ${url}/billing -H "Authorization: Bearer $ORDERS"               # 401: not for this API
curl -i ${url}/billing -H "Authorization: Bearer $BOTH"                 # 200: for both of them
curl -i -X POST ${url}/billing -H "Authorization: Bearer $BOTH"         # 403: may write orders, not bills
curl -i ${url}/orders -H "Authorization: Bearer $PARTNER"               # 401: another realm
curl -i ${url}/partners/orders -H "Authorization: Bearer $PARTNER"      # 200

Ctrl+C ends it.`)
