// `npm start`: both APIs, on a realm in this process, or on the one at KEYCLOAK_ISSUER with the secret of the client shop in SHOP_SECRET.
import { buildShop } from './shop.js'
import { createRealm } from './realm.js'
import { buildWarehouse } from './warehouse.js'

const { KEYCLOAK_ISSUER, SHOP_SECRET, PORT = '3000' } = process.env

const realm = KEYCLOAK_ISSUER === undefined ? await createRealm(8 * 3600) : undefined
const issuer = realm?.issuer ?? KEYCLOAK_ISSUER!
const warehouse = await buildWarehouse({ issuer })
const shop = await buildShop({ issuer, clientSecret: realm?.options.clientSecret ?? SHOP_SECRET, warehouse: await warehouse.listen({ port: 0, host: '127.0.0.1' }) })
shop.addHook('onClose', async () => {
  await warehouse.close()
  await realm?.close()
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { shop.close() })

const url = await shop.listen({ port: Number(PORT), host: '127.0.0.1' })
console.log(`
The shop is at ${url}, the warehouse at ${warehouse.listeningOrigin}. Paste into another terminal:

TOKEN=${realm?.token({ username: 'alice', roles: ['view-parcels'] }) ?? '…   # a token of a user with the role view-parcels of the client shop'}

curl -i ${url}/items/lamp                                                       # 200: askedBy shop
curl -i ${url}/parcels -H "Authorization: Bearer $TOKEN"                        # 200: parcelsOf alice, askedBy shop, tokenFor warehouse
curl -i ${warehouse.listeningOrigin}/parcels -H "Authorization: Bearer $TOKEN"  # 401: a token for the shop is none for the warehouse

Ctrl+C ends it.`)
