// Each line is wrong; the message of every compiler contains the words of the comment above it.
import Fastify, { type RouteOptions } from 'fastify'
import keycloak, { type KeycloakOptions, type KeycloakRequest, type KeycloakRouteConfig } from 'fastify-keycloak-bearer'

declare module 'fastify-keycloak-bearer' {
  interface KeycloakTypes {
    profile: { id: string, email?: string }
    claims: { tenant: string }
    permission: 'read-profile' | 'edit'
    realmRole: 'admin' | 'support'
    organization: 'acme'
  }
}

const app = Fastify()
const issuer = 'https://sso.example.com/realms/acme'
const handler = async () => {}

// The config of a route.
// WriteInstead<"permission">
app.get('/', { config: { permision: 'edit' } }, handler)
// WriteInstead<"permission">
app.get('/', { config: { permissions: ['edit'] }, handler })
// WriteInstead<"permission">
app.route({ method: 'GET', url: '/', config: { Permission: 'edit' }, handler })
// WriteInstead<"permission">
export const route = { method: 'GET', url: '/', config: { permisson: 'edit' }, handler } satisfies RouteOptions
// WriteInstead<"authenticated">
app.get('/', { config: { authenticate: true } }, handler)
// WriteInstead<"true, or leave it out">
app.get('/', { config: { authenticated: false } }, handler)
// WriteInstead<"true, or leave it out">
app.get('/', { config: { public: 'yes' } }, handler)
// WriteInstead<"false, or leave it out">
app.get('/', { config: { keycloak: true } }, handler)
// Type 'number' is not assignable to type '(PermissionRule | undefined) & number'
app.get('/', { config: { permission: 5 } }, handler)
// Source has 0 element(s) but target requires 1
app.get('/', { config: { permission: [] } }, handler)
// '{ anny: string[]; }' is not assignable to type '(PermissionRule | undefined)
app.get('/', { config: { permission: { anny: ['edit'] } } }, handler)
// '() => string' is not assignable to type '(PermissionRule | undefined)
app.get('/', { config: { permission: () => 'yes' } }, handler)
// Type 'string' is not assignable to type 'boolean | Promise<boolean>'
app.get('/', { config: { permission: ['edit', () => 'yes'] } }, handler)
// Type '"edti"' is not assignable to type '(PermissionRule | undefined) & "edti"'
app.get('/', { config: { permission: 'edti' } }, handler)
// '"raed-profile"' is not assignable to type 'PermissionRule'. Did you mean '"read-profile"'?
app.get('/', { config: { permission: ['edit', 'raed-profile'] } }, handler)
// Did you mean '"read-profile"'?
export const config: KeycloakRouteConfig = { permission: 'raed-profile' }
// WriteInstead<"any or all, which may hold the other">
export const both: KeycloakRouteConfig = { permission: { any: ['edit'], all: 'edit' } }
// '{ realmRole: "amdin"; }' is not assignable to type '(PermissionRule | undefined) & { realmRole: "amdin"; }'
app.get('/', { config: { permission: { realmRole: 'amdin' } } }, handler)
// '["edit", { realmRole: "amdin"; }]' is not assignable to type '(PermissionRule | undefined)
app.get('/', { config: { permission: ['edit', { realmRole: 'amdin' }] } }, handler)
// Did you mean '"admin"'?
export const realmRole: KeycloakRouteConfig = { permission: { realmRole: 'amdin' } }
// '{ organization: "globex"; }' is not assignable to type '(PermissionRule | undefined)
app.get('/', { config: { permission: { organization: 'globex' } } }, handler)
// '{ realmRole: "admin"; scope: string; }' is not assignable to type 'PermissionRule
export const two: KeycloakRouteConfig = { permission: { realmRole: 'admin', scope: 'write' } }
// WriteInstead<"role">
export const roles: KeycloakRouteConfig = { permission: { organization: 'acme', roles: 'admin' } }
// 'groups' does not exist in type
export const groups: KeycloakRouteConfig = { permission: { groups: '/staff' } }
// Source has 0 element(s) but target requires 1
app.get('/', { config: { scope: [] } }, handler)

// Requests.
// 'user' is possibly 'null'
app.get('/', async ({ user }) => user.id)
// 'request.auth' is possibly 'null'
app.get('/', { config: { public: true } }, async (request) => request.auth.sub)
// Property 'emial' does not exist on type 'Readonly<{ id: string; email?: string
app.get('/', { config: { authenticated: true } }, async ({ user }) => user.emial)
// Did you mean 'tenant'?
app.get('/', { config: { authenticated: true } }, async ({ auth }) => auth.tennant)
// Argument of type '"edti"' is not assignable to parameter of type 'SyncPermissionRule'
app.get('/', async (request) => request.hasPermission('edti'))
// '{ realmRole: "amdin"; }' is not assignable to parameter of type 'SyncPermissionRule'
app.get('/', async (request) => request.hasPermission({ realmRole: 'amdin' }))
// is not assignable to type 'SyncPermissionFunction'
app.get('/', async (request) => request.hasPermission(async () => true))
// Type 'null' is not assignable to type 'Readonly<{ id: string
app.get('/', async (request) => hello(request))
const hello = ({ user }: KeycloakRequest<{ authenticated: true }>) => user.id

// Options, as they are registered.
// 'audiance' does not exist in type
app.register(keycloak, { issuer, audiance: 'api' })
// is missing in type '{ clientId: string; }' but required in type
app.register(keycloak, { clientId: 'api' })
// 'maxage' does not exist in type 'JwksOptions'. Did you mean to write 'maxAge'?
app.register(keycloak, { issuer, jwks: { maxage: 5 } })
// '"HS256"' is not assignable to type 'Algorithm'
app.register(keycloak, { issuer, algorithms: ['RS256', 'HS256'] })
// Type 'number' is not assignable to type 'ClaimPath
app.register(keycloak, { issuer, claimMapping: { email: 5 } })
// Did you mean to write 'email'?
app.register(keycloak, { issuer, claimMapping: { emial: 'email' } })
// Type '"name"' is not assignable to type
app.register(keycloak, { issuer, userIdField: 'name' })
// Type 'string' is not assignable to type
app.register(keycloak, { issuer, syncUser: () => 'alice' })
// is not assignable to type 'string
app.register(keycloak, { issuer, extractToken: async () => 'token' })

// Options, as a variable of their type: shorter, and with suggestions.
// 'audiance' does not exist in type 'KeycloakOptions'. Did you mean to write 'audience'?
export const audience: KeycloakOptions = { issuer, audiance: 'api' }
// 'clientID' does not exist in type 'KeycloakOptions'. Did you mean to write 'clientId'?
export const client: KeycloakOptions = { issuer, clientID: 'api' }
// Property 'issuer' is missing in type '{}' but required in type 'KeycloakOptions'
export const nothing: KeycloakOptions = {}
// Type '"none"' is not assignable to type
export const algorithms: KeycloakOptions = { issuer, algorithms: 'none' }
// Property 'id' is missing in type '{ name: string; }'
export const sync: KeycloakOptions = { issuer, syncUser: async () => ({ name: 'alice' }) }
