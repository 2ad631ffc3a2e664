// What an administrator of the realm does: keys, clients, users, roles.
import { randomUUID } from 'node:crypto'
import { base, call, json, realm } from './server.js'
import type { User } from './tokens.js'

interface KeyProvider { providerId: string, config?: Record<string, string> }
interface Representation { id: string, [member: string]: any }

/** The key providers that the tests add to the realm. Each signs with its own algorithm. */
export const keyProviders = {
  RS256: { providerId: 'rsa-generated', config: { algorithm: 'RS256', keySize: '2048' } },
  PS256: { providerId: 'rsa-generated', config: { algorithm: 'PS256', keySize: '2048' } },
  ES256: { providerId: 'ecdsa-generated', config: { ecdsaEllipticCurveKey: 'P-256' } },
  EdDSA: { providerId: 'eddsa-generated', config: { eddsaEllipticCurveKey: 'Ed25519' } }
} satisfies Record<string, KeyProvider>

/** Adds a signing key that goes before those that are there; answers the id of its provider. */
export async function addKey ({ providerId, config = {} }: KeyProvider): Promise<string> {
  const { id: parentId } = await admin('GET', '')
  const settings = { priority: String(Date.now()), enabled: 'true', active: 'true', ...config }
  const response = await adminCall('POST', '/components', {
    name: `test ${providerId} ${randomUUID()}`,
    providerId,
    providerType: 'org.keycloak.keys.KeyProvider',
    parentId,
    config: Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, [value]]))
  })
  return response.headers.get('location')?.split('/').pop() ?? ''
}

/** Takes a key away, at once and for good; done already is no error. */
export async function removeKey (id: string): Promise<void> {
  await adminCall('DELETE', `/components/${id}`, undefined, [404])
}

/** Sets attributes of a client; an empty string removes one. */
export async function setClientAttributes (client: string, attributes: Record<string, string>): Promise<void> {
  const found = await clientOf(client)
  await admin('PUT', `/clients/${found.id}`, { ...found, attributes: { ...found.attributes, ...attributes } })
}

/** Changes members of a client's settings; answers a function that puts back what they were. */
export async function changeClient (client: string, changes: Record<string, unknown>): Promise<() => Promise<void>> {
  const before = await clientOf(client)
  await admin('PUT', `/clients/${before.id}`, { ...before, ...changes })
  return async () => { await admin('PUT', `/clients/${before.id}`, before) }
}

/** Changes members of the realm's settings. */
export async function changeRealm (changes: Record<string, unknown>): Promise<void> {
  await admin('PUT', '', changes)
}

/** Has a client's tokens carry a claim of one value; answers a function that takes the mapper away. */
export async function addHardcodedClaim (client: string, name: string, value: string, config: Record<string, string> = {}): Promise<() => Promise<void>> {
  const { id } = await clientOf(client)
  const response = await adminCall('POST', `/clients/${id}/protocol-mappers/models`, {
    name,
    protocol: 'openid-connect',
    protocolMapper: 'oidc-hardcoded-claim-mapper',
    config: { 'claim.name': name, 'claim.value': value, 'jsonType.label': 'String', 'access.token.claim': 'true', 'introspection.token.claim': 'true', ...config }
  })
  const mapper = response.headers.get('location')!.split('/').pop()
  return async () => { await adminCall('DELETE', `/clients/${id}/protocol-mappers/models/${mapper}`) }
}

/** Takes a default client scope from a client; answers a function that gives it back. */
export async function removeScope (client: string, scope: string): Promise<() => Promise<void>> {
  const [{ id: clientId }, scopes] = await Promise.all([clientOf(client), admin('GET', '/client-scopes')])
  const path = `/clients/${clientId}/default-client-scopes/${scopes.find(({ name }: { name: string }) => name === scope).id}`
  await adminCall('DELETE', path)
  return async () => { await adminCall('PUT', path) }
}

/** An organization of one user, whose scope a client may ask for. */
export async function addOrganization (alias: string, user: User, client: string) {
  await changeRealm({ organizationsEnabled: true })
  const [{ id: userId }, { id: clientId }, scopes] = await Promise.all([userOf(user), clientOf(client), admin('GET', '/client-scopes')])
  const scope = scopes.find(({ name }: { name: string }) => name === 'organization')
  await adminCall('PUT', `/clients/${clientId}/optional-client-scopes/${scope.id}`)
  const response = await adminCall('POST', '/organizations', { name: alias, alias, enabled: true, domains: [{ name: `${alias}.test`, verified: true }] })
  const path = `/organizations/${response.headers.get('location')!.split('/').pop()}`
  await adminCall('POST', `${path}/members`, userId)
  return {
    /** The user leaves it. */
    leave: async () => { await adminCall('DELETE', `${path}/members/${userId}`) },
    remove: async () => {
      await adminCall('DELETE', path)
      await changeRealm({ organizationsEnabled: false })
    }
  }
}

/** Sets the URL that the pushes for a client go to; an empty string removes it. */
export async function setAdminUrl (client: string, adminUrl: string): Promise<void> {
  const found = await clientOf(client)
  await admin('PUT', `/clients/${found.id}`, { ...found, adminUrl })
}

/** Pushes the realm's not-before to the admin URLs; answers those that took it. */
export async function pushRevocation (): Promise<string[]> {
  return (await admin('POST', '/push-revocation')).successRequests ?? []
}

/** Ends every session of the realm, and tells the admin URLs; answers those that took it. */
export async function logoutAll (): Promise<string[]> {
  return (await admin('POST', '/logout-all')).successRequests ?? []
}

/** Ends one session. */
export async function endSession (sid: string): Promise<void> {
  await adminCall('DELETE', `/sessions/${sid}`)
}

/** Gives a client another secret. */
export async function setClientSecret (client: string, secret: string): Promise<void> {
  const found = await clientOf(client)
  await admin('PUT', `/clients/${found.id}`, { ...found, secret })
}

/** Grants a role of a client to a user. */
export async function grantRole (user: User, client: string, role: string): Promise<void> {
  const { path, body } = await roleMapping(user, client, role)
  await admin('POST', path, body)
}

/** Withdraws it. */
export async function withdrawRole (user: User, client: string, role: string): Promise<void> {
  const { path, body } = await roleMapping(user, client, role)
  await admin('DELETE', path, body)
}

/** Enables or disables a user. */
export async function setEnabled (user: User, enabled: boolean): Promise<void> {
  const found = await userOf(user)
  await admin('PUT', `/users/${found.id}`, { ...found, enabled })
}

/** Ends every session of a user. */
export async function logout (user: User): Promise<void> {
  await admin('POST', `/users/${(await userOf(user)).id}/logout`)
}

/** Tokens issued before this date, in seconds since 1970, are void; 0 clears it. */
export async function setNotBefore (notBefore: number): Promise<void> {
  await admin('PUT', '', { notBefore })
}

/** Makes another realm, and answers a function that removes it. */
export async function addRealm (representation: { realm: string, [member: string]: unknown }): Promise<() => Promise<void>> {
  await adminCallAt(`${base}/admin/realms`, 'POST', representation)
  return async () => { await adminCallAt(`${base}/admin/realms/${encodeURIComponent(representation.realm)}`, 'DELETE') }
}

/** Calls of the admin API about another realm; each answers what the answer's JSON holds. */
export function adminOf (name: string) {
  return async (method: string, path: string, body?: unknown): Promise<any> => {
    const text = await (await adminCallAt(`${base}/admin/realms/${encodeURIComponent(name)}${path}`, method, body)).text()
    return text === '' ? undefined : JSON.parse(text)
  }
}

/** The version of the server, and the names of its protocol mappers in the console. */
export async function serverInfo (): Promise<{ version: string, mappers: string[] }> {
  const { systemInfo, protocolMapperTypes } = await json(await adminCallAt(`${base}/admin/serverinfo`, 'GET'))
  return { version: systemInfo.version, mappers: protocolMapperTypes['openid-connect'].map(({ name }: { name: string }) => name) }
}

async function clientOf (client: string): Promise<Representation> {
  const [found] = await admin('GET', `/clients?clientId=${encodeURIComponent(client)}`)
  return found
}

async function userOf (user: string): Promise<Representation> {
  const [found] = await admin('GET', `/users?exact=true&username=${encodeURIComponent(user)}`)
  return found
}

async function roleMapping (user: User, client: string, role: string) {
  const [{ id: userId }, { id: clientId }] = await Promise.all([userOf(user), clientOf(client)])
  const found = await admin('GET', `/clients/${clientId}/roles/${encodeURIComponent(role)}`)
  return { path: `/users/${userId}/role-mappings/clients/${clientId}`, body: [found] }
}

async function admin (method: string, path: string, body?: unknown): Promise<any> {
  const response = await adminCall(method, path, body)
  const text = await response.text()
  return text === '' ? undefined : JSON.parse(text)
}

async function adminCall (method: string, path: string, body?: unknown, alsoGood: number[] = []): Promise<Response> {
  return adminCallAt(`${base}/admin/realms/${realm}${path}`, method, body, alsoGood)
}

async function adminCallAt (address: string, method: string, body?: unknown, alsoGood: number[] = []): Promise<Response> {
  const response = await call(address, {
    method,
    headers: { authorization: `Bearer ${await adminToken()}`, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body)
  })
  if (!response.ok && !alsoGood.includes(response.status)) {
    throw new Error(`${method} ${address} of the admin API: ${response.status} ${await response.text()}`)
  }
  return response
}

let administrator = { token: '', until: 0 }

async function adminToken (): Promise<string> {
  if (Date.now() > administrator.until) {
    const response = await call(`${base}/realms/master/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'password',
        client_id: 'admin-cli',
        username: process.env.KEYCLOAK_ADMIN ?? 'admin',
        password: process.env.KEYCLOAK_ADMIN_PASSWORD ?? 'admin-pw'
      })
    })
    administrator = { token: (await json(response)).access_token, until: Date.now() + 30_000 }
  }
  return administrator.token
}
