// Rules about claims: each object is one rule, of known members.
import Fastify from 'fastify'
import { expectAssignable, expectError, expectNotAssignable, expectType } from 'tsd'
import type { Organization, PermissionRule, SyncPermissionRule, UmaGrant, User } from '../index.js'

const app = Fastify()

for (const rule of [
  { realmRole: 'admin' },
  { clientRole: 'reader', client: 'billing' },
  { group: '/staff/**' },
  { organization: 'acme' },
  { organization: 'acme', role: 'admin' },
  { authorizedParty: 'web' },
  { scope: 'write' }
]) {
  expectAssignable<PermissionRule>(rule)
  expectAssignable<SyncPermissionRule>(rule)
}
expectAssignable<PermissionRule>({ organization: true })
expectAssignable<PermissionRule>({ organization: { param: 'org' }, role: 'admin' })
expectAssignable<PermissionRule>(['a', { any: [{ realmRole: 'admin' }, [{ group: 'staff' }, async () => true]] }])
expectAssignable<SyncPermissionRule>({ all: ['a', { any: [{ realmRole: 'admin' }, { scope: 'write' }] }] })

// A rule in the config demands a token.
app.get('/', { config: { permission: { organization: true } } }, (request) => {
  expectType<User>(request.user)
  expectType<readonly Organization[]>(request.organizations)
})

// Keycloak is asked, so that the rule is asynchronous.
expectAssignable<PermissionRule>({ uma: 'invoice:{id}#write' })
expectAssignable<PermissionRule>(['a', { any: [{ uma: 'invoice#read,write' }, { uma: 'dashboard#' }] }])
expectNotAssignable<SyncPermissionRule>({ uma: 'invoice#write' })
expectNotAssignable<PermissionRule>({ uma: 'invoice' })
expectNotAssignable<PermissionRule>({ uma: ['invoice#write'] })
expectNotAssignable<PermissionRule>({ uma: 'invoice#write', scope: 'write' })

// What is no rule.
expectNotAssignable<PermissionRule>({})
expectNotAssignable<PermissionRule>({ realmRole: 5 })
expectNotAssignable<PermissionRule>({ realmRole: ['a', 'b'] })
expectNotAssignable<PermissionRule>({ clientRole: 'reader' })
expectNotAssignable<PermissionRule>({ client: 'billing' })
expectNotAssignable<PermissionRule>({ role: 'admin' })
expectNotAssignable<PermissionRule>({ organization: false })
expectNotAssignable<PermissionRule>({ organization: {} })
expectNotAssignable<PermissionRule>({ organization: { param: 5 } })
expectNotAssignable<PermissionRule>({ organization: 'acme', role: 5 })
expectNotAssignable<PermissionRule>({ authorizedParty: ['web'] })
expectNotAssignable<PermissionRule>({ scope: ['read', 'write'] })

// Two rules in one object.
expectNotAssignable<PermissionRule>({ realmRole: 'admin', scope: 'write' })
expectNotAssignable<PermissionRule>({ realmRole: 'admin', any: ['a'] })
expectNotAssignable<PermissionRule>({ any: ['a'], scope: 'write' })
expectNotAssignable<PermissionRule>({ group: '/staff', role: 'admin' })
expectNotAssignable<PermissionRule>({ realmRole: 'admin', client: 'billing' })
expectNotAssignable<PermissionRule>({ organization: 'acme', realmRole: 'admin' })

// Misspelled keys.
expectError(app.get('/', { config: { permission: { realmrole: 'admin' } } }, () => {}))
expectError(app.get('/', { config: { permission: { groups: '/staff' } } }, () => {}))
expectError(app.get('/', { config: { permission: { organization: 'acme', roles: 'admin' } } }, () => {}))
expectError(app.get('/', { config: { permission: { organization: { params: 'org' } } } }, () => {}))
expectError(app.get('/', { config: { permission: { any: ['a', { azp: 'web' }] } } }, () => {}))

app.get('/', async (request) => {
  expectType<boolean>(request.hasPermission({ realmRole: 'admin' }))
  expectType<Promise<boolean>>(request.isAllowed({ any: [{ group: '/staff' }, async () => true] }))
  expectType<readonly string[]>(request.organizations[0].roles)
  expectType<string | undefined>(request.organizations[0].id)
  expectType<Readonly<Record<string, readonly string[]>>>(request.organizations[0].attributes)
  expectError(request.organizations[0].alias = 'globex')
  expectError(request.organizations.push())
  expectError(request.hasPermission({ realmRole: 'admin', scope: 'write' }))
  expectError(request.hasPermission({ realmroles: 'admin' }))
  expectError(request.hasPermission({ any: [{ group: '/staff' }, async () => true] }))
  expectType<Promise<boolean>>(request.isAllowed({ uma: 'invoice#write' }))
  expectType<Promise<readonly UmaGrant[]>>(request.umaPermissions())
  expectType<Promise<readonly UmaGrant[]>>(request.umaPermissions([7, 8].map((id) => `invoice:${id}#read`)))
  expectError(request.umaPermissions('invoice#read'))
  expectError(request.hasPermission({ uma: 'invoice#write' }))
  expectError(request.hasPermission({ any: ['a', { uma: 'invoice#write' }] }))
  expectError(request.isAllowed({ realmRole: 5 }))
  expectError(request.isAllowed(() => 'yes'))
})

// Beside permission they would be no rules.
expectError(app.get('/', { config: { realmRole: 'admin' } }, async () => 'x'))
expectError(app.get('/', { config: { clientRole: 'reader' } }, async () => 'x'))
expectError(app.get('/', { config: { authorizedParty: 'web' } }, async () => 'x'))
