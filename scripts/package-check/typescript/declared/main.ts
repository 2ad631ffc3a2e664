// An application declares its roles, its scopes and the mapping of its claims once.
import Fastify from 'fastify'
import keycloak, {
  insufficientUserAuthentication, type Claims, type KeycloakOptions, type KeycloakRouteConfig, type PermissionName, type PermissionRule, type Profile, type User
} from 'fastify-keycloak-bearer'

declare module 'fastify-keycloak-bearer' {
  interface KeycloakTypes {
    profile: { id: string, email?: string }
    claims: { tenant: string, sub: string }
    permission: 'read-profile' | 'edit'
    scope: 'read' | 'write'
    realmRole: 'admin' | 'support'
    client: 'web' | 'billing'
    organization: 'acme' | 'globex'
    acr: 'silver' | 'gold'
  }
}

const app = Fastify()
const issuer = 'https://sso.example.com/realms/acme'
const handler = async () => {}

// Roles.
app.get('/', { config: { permission: 'edit' } }, handler)
app.get('/', { config: { permission: ['edit', { any: ['read-profile', () => true] }, { all: ['edit'] }] } }, handler)
app.get('/', { config: { permission: (claims) => claims.tenant === 'acme' } }, handler)
const role: PermissionName = 'edit'
const rule: PermissionRule = { any: [role, 'read-profile'] }
app.get('/', { config: { permission: rule } }, async ({ user }) => user.id)
// @ts-expect-error misspelled
app.get('/', { config: { permission: 'edti' } }, handler)
// @ts-expect-error misspelled
app.get('/', { config: { permission: ['edit', 'raed-profile'] } }, handler)
// @ts-expect-error misspelled
app.get('/', { config: { permission: { any: ['edit', 'raed-profile'] } } }, handler)
// @ts-expect-error misspelled
app.get('/', { config: { permission: { any: ['edit', ['raed-profile']] } } }, handler)
// @ts-expect-error misspelled
export const config: KeycloakRouteConfig = { permission: 'edti' }
declare const anything: string
// @ts-expect-error may be any
app.get('/', { config: { permission: anything } }, handler)

// Rules on claims.
app.get('/', { config: { permission: { realmRole: 'admin' } } }, handler)
app.get('/', { config: { permission: [{ clientRole: 'anything', client: 'billing' }, { any: [{ authorizedParty: 'web' }, { scope: 'read' }] }] } }, handler)
app.get('/:org', { config: { permission: { any: [{ organization: 'acme' }, { organization: true }, { organization: { param: 'org' }, role: 'anything' }] } } }, handler)
// @ts-expect-error misspelled
app.get('/', { config: { permission: { realmRole: 'amdin' } } }, handler)
// @ts-expect-error misspelled
app.get('/', { config: { permission: { clientRole: 'reader', client: 'biling' } } }, handler)
// @ts-expect-error misspelled
app.get('/', { config: { permission: { authorizedParty: 'wbe' } } }, handler)
// @ts-expect-error misspelled
app.get('/', { config: { permission: ['edit', { organization: 'acmee' }] } }, handler)
// @ts-expect-error misspelled
app.get('/', { config: { permission: { scope: 'raed' } } }, handler)
app.register(keycloak, { issuer, scopeImplies: { write: ['read'] } })
// @ts-expect-error misspelled
app.register(keycloak, { issuer, scopeImplies: { write: ['raed'] } })
// @ts-expect-error misspelled
app.register(keycloak, { issuer, scopeImplies: { wirte: ['read'] } })

// Scopes.
app.get('/', { config: { scope: 'read' } }, handler)
app.get('/', { config: { scope: ['read', 'write'] } }, handler)
// @ts-expect-error misspelled
app.get('/', { config: { scope: 'raed' } }, handler)
// @ts-expect-error misspelled
app.get('/', { config: { scope: ['read', 'wirte'] } }, handler)

// Levels of authentication.
app.get('/', { config: { acr: 'gold' } }, handler)
app.get('/', { config: { acr: ['silver', 'gold'], maxAge: 300 } }, handler)
// @ts-expect-error misspelled
app.get('/', { config: { acr: 'glod' } }, handler)
// @ts-expect-error misspelled
app.get('/', { config: { acr: ['silver', 'glod'] } }, handler)
app.register(keycloak, { issuer, acrLevels: ['silver', 'gold'] })
// @ts-expect-error misspelled
app.register(keycloak, { issuer, acrLevels: ['silver', 'glod'] })
app.get('/', async (request) => {
  if (!request.hasAuthentication({ acr: 'gold' })) throw insufficientUserAuthentication({ acr: 'gold', maxAge: 300 })
  // @ts-expect-error misspelled
  request.hasAuthentication({ acr: 'glod' })
  // @ts-expect-error misspelled
  insufficientUserAuthentication({ acr: ['glod'] })
})

// The same in handlers.
app.get('/', async (request) => {
  request.hasPermission('edit')
  request.hasPermission({ any: ['edit', ['read-profile', ({ tenant }) => tenant === 'acme']] })
  request.hasPermission({ any: [{ realmRole: 'admin' }, { organization: 'globex' }] })
  // @ts-expect-error misspelled
  request.hasPermission({ realmRole: 'amdin' })
  // @ts-expect-error misspelled
  request.hasPermission('edti')
  // @ts-expect-error misspelled
  request.hasPermission(['edit', 'raed-profile'])
  // @ts-expect-error misspelled
  request.hasPermission({ all: ['edit', 'raed-profile'] })
})

// The mapped claims are the user.
const options: KeycloakOptions = { issuer, userIdField: 'id', userIdClaim: 'sub', claimMapping: { email: 'email' } }
app.register(keycloak, options)
app.register(keycloak, { issuer, userIdField: 'id', claimMapping: { id: 'uuid', email: 'mail' } })
app.get('/', { config: { authenticated: true } }, async ({ user }) => {
  const id: string = user.id
  const email: string | undefined = user.email
  // @ts-expect-error not mapped
  return [id, email, user.username]
})
// @ts-expect-error misspelled
app.register(keycloak, { issuer, claimMapping: { emial: 'email' } })
// @ts-expect-error a claim has a name
app.register(keycloak, { issuer, claimMapping: { email: 5 } })
// @ts-expect-error no key of the profile
app.register(keycloak, { issuer, userIdField: 'username' })

// syncUser gets that user, and returns it if no `user` is declared.
app.register(keycloak, {
  issuer,
  userIdField: 'id',
  syncUser: async (profile, { claims, request }) => {
    const { id, email }: Profile = profile
    request.log.info(claims.tenant.toUpperCase())
    const user: User = { id, email }
    return user
  }
})
app.register(keycloak, {
  issuer,
  // @ts-expect-error not mapped
  syncUser: ({ username }) => username
})
// @ts-expect-error no id
app.register(keycloak, { issuer, syncUser: async ({ email }) => ({ email }) })

// Claims: those of Keycloak, those that were declared, and no other.
app.get('/', { config: { authenticated: true } }, async ({ auth }) => {
  const claims: Claims = auth
  const sub: string = claims.sub
  const azp: string | undefined = claims.azp
  // @ts-expect-error misspelled
  return [sub, azp, auth.tenant, auth.tennant]
})
app.register(keycloak, { issuer, permissionPath: ({ tenant, realm_access: realm }) => realm?.roles?.map((name) => `${tenant}:${name}`) })
// @ts-expect-error misspelled
app.get('/', { config: { permission: ({ tennant }) => tennant === 'acme' } }, handler)
app.get('/', async () => {
  const { tenant } = await app.keycloak.verify('token')
  return tenant.toUpperCase()
})
