// Keycloak's Authorization Services at the token endpoint of the realm. The answers were observed at Keycloak 26.7.3.
import { decodeJwt } from 'jose'
import t from 'tap'
import type { ServiceRules, UmaResource } from '../../lib/testing/index.js'
import { ask, endpointOf, post, realmWithServices, refusal, uma, UMA, type Answer, type Parameters } from '../support/services.js'

const DENIED = refusal(403, 'access_denied', 'not_authorized')

/** Alice may read, bob what dave shares with him, and nobody may delete. */
const RESOURCES: UmaResource[] = [
  { name: 'profile', id: 'id-of-profile', scopes: ['view', 'manage'], allow: (_, scope) => scope === 'view' },
  { name: 'invoice', id: 'id-of-invoice', scopes: ['read', 'write', 'delete'], allow: (claims, scope) => claims.preferred_username === 'alice' && scope === 'read' },
  { name: 'invoice', owner: 'dave', scopes: ['read', 'write'], allow: (claims, scope) => claims.preferred_username === 'bob' && scope === 'write' },
  { name: 'door', allow: (claims) => claims.preferred_username === 'alice' }
]
const RULES: ServiceRules = { clients: { worker: { secret: 'worker-secret' } }, resources: RESOURCES }
const READ = { scopes: ['read'], rsid: 'id-of-invoice', rsname: 'invoice' }
const VIEW = { scopes: ['view'], rsid: 'id-of-profile', rsname: 'profile' }

t.test('permissions are a part of those that are asked for', async (t) => {
  const { realm } = await realmWithServices(t, RULES)
  const token = realm.token()
  const cases: Array<[string | readonly string[] | undefined, object[]]> = [
    ['invoice#read', [READ]],
    ['id-of-invoice#read', [READ]],
    ['invoice#read,write,delete', [READ]],
    ['invoice#read,nope', [READ]],
    ['invoice#read#write', [READ]],
    ['invoice', [READ]],
    ['invoice#', [READ]],
    ['#read', [READ]],
    [['invoice#read', 'profile#view'], [READ, VIEW]],
    [['invoice#read', 'invoice#write'], [READ]],
    [['profile#view', 'profile#view'], [VIEW]],
    [['invoice#read', 'nope#read'], [READ]],
    ['profile', [VIEW]],
    [undefined, [VIEW, READ, { rsid: /^[0-9a-f-]{36}$/, rsname: 'door' }]]
  ]
  for (const [permission, expected] of cases) {
    const { status, body } = await uma(realm, token, permission)
    t.equal(status, 200)
    t.match(body, expected, String(permission))
    t.equal(Object.keys(body).length, expected.length)
  }
  t.same((await uma(realm, token, 'door')).body, [{ rsid: ((await uma(realm, token, 'door')).body as unknown as [{ rsid: string }])[0].rsid, rsname: 'door' }], 'a resource without scopes')
  t.same(await uma(realm, token, 'invoice#read', { response_mode: 'decision' }), { status: 200, body: { result: true } })
})

t.test('refusals, and requests that cannot be decided', async (t) => {
  const { realm } = await realmWithServices(t, RULES)
  const token = realm.token()
  const unknown = (name: string) => refusal(400, 'invalid_resource', `Resource with id [${name}] does not exist.`)
  const cases: Array<[string | readonly string[] | undefined, Parameters, Answer]> = [
    ['invoice#delete', {}, DENIED],
    ['invoice#delete', { response_mode: 'decision' }, DENIED],
    ['', {}, DENIED],
    ['door', { subject_token: realm.token({ username: 'bob' }) }, DENIED],
    ['nope#read', {}, unknown('nope')],
    ['nope#read', { response_mode: 'decision' }, unknown('nope')],
    [['nope#read', 'nada#read'], {}, unknown('nope')],
    ['Invoice#read', {}, unknown('Invoice')],
    ['invoice #read', {}, unknown('invoice ')],
    ['profile#read', {}, unknown('profile')],
    ['invoice#nope', {}, refusal(400, 'invalid_scope', 'One of the given scopes [nope] is invalid')],
    ['invoice#nope,nada', {}, refusal(400, 'invalid_scope', 'One of the given scopes [nada, nope] is invalid')],
    ['invoice# read', {}, refusal(400, 'invalid_scope', 'One of the given scopes [ read] is invalid')],
    ['invoice#read', { audience: undefined }, refusal(400, 'invalid_request', 'You must provide the issuedFor')],
    ['invoice#read', { audience: 'nope' }, refusal(400, 'invalid_request', 'Unknown resource server id: [nope]')],
    ['invoice#read', { audience: 'worker' }, refusal(400, 'invalid_request', 'Client does not support permissions')],
    ['invoice#read', { response_mode: 'nope' }, refusal(400, 'invalid_request', 'Invalid response_mode')],
    ['invoice#read', { audience: ['api', 'api'] }, refusal(400, 'invalid_request', 'duplicated parameter')],
    ['invoice#read', { client_secret: 'x' }, refusal(401, 'unauthorized_client', 'Invalid client or Invalid client credentials')],
    ['invoice#read', { subject_token: undefined }, DENIED],
    ['invoice#read', { subject_token: 'garbage' }, refusal(400, 'unauthorized_client', 'Invalid identity')],
    ['invoice#read', { subject_token: realm.token({ expired: true }) }, refusal(400, 'unauthorized_client', 'Invalid identity')],
    ['invoice#read', { subject_token: realm.token({ dpop: true }) }, refusal(400, 'unauthorized_client', 'Invalid identity')],
    ['invoice#read', { subject_token: realm.token({ kind: 'lightweight' }) }, DENIED]
  ]
  for (const [permission, form, expected] of cases) t.same(await uma(realm, token, permission, form), expected)
  const { realm: bare } = await realmWithServices(t)
  t.same(await uma(bare, bare.token(), 'invoice#read'), refusal(400, 'invalid_request', 'Client does not support permissions'), 'no resources')
})

t.test('a name stands for the resources of all owners, and the id tells whose it is', async (t) => {
  const { realm } = await realmWithServices(t, RULES)
  const bob = realm.token({ username: 'bob' })
  const { status, body } = await uma(realm, bob, 'invoice#write')
  t.equal(status, 200)
  const [{ rsid, ...rest }] = body as unknown as [{ rsid: string }]
  t.same(rest, { scopes: ['write'], rsname: 'invoice' })
  t.not(rsid, 'id-of-invoice')
  t.same(await uma(realm, bob, 'id-of-invoice#write'), DENIED)
  t.equal((await uma(realm, bob, `${rsid}#write`)).status, 200)
})

t.test('the token of the user can be in the header instead of the form', async (t) => {
  const { realm, services } = await realmWithServices(t, RULES)
  const byHeader = (token: string) => post(endpointOf(realm), { grant_type: UMA, audience: 'api', permission: 'invoice#read', response_mode: 'permissions' }, { authorization: `Bearer ${token}` })
  t.same(await byHeader(realm.token()), { status: 200, body: [READ] })
  for (const token of ['garbage', realm.token({ dpop: true })]) t.same(await byHeader(token), refusal(400, 'invalid_grant', 'Invalid bearer token'))
  t.match(services.calls.map(({ authentication, client, status }) => [authentication, client, status]), [['bearer', undefined, 200], ['bearer', undefined, 400], ['bearer', undefined, 400]])
})

t.test('without response_mode the answer is a token with the permissions; another client may ask, too', async (t) => {
  const { realm } = await realmWithServices(t, RULES)
  const { body: { access_token: token, ...rest } } = await uma(realm, realm.token(), 'invoice#read', { response_mode: undefined, client_id: 'worker', client_secret: 'worker-secret' })
  t.match(rest, { upgraded: false, token_type: 'Bearer', expires_in: 300 })
  t.match(decodeJwt(String(token)), { jti: /^ntrtna:/, aud: 'api', azp: 'web', preferred_username: 'alice', authorization: { permissions: [READ] } })
})

t.test('without a subject token Keycloak decides for the client itself', async (t) => {
  const resources: UmaResource[] = [{ name: 'report', scopes: ['read'], allow: ({ preferred_username: name }) => name === 'service-account-api' }]
  const { realm } = await realmWithServices(t, { resources })
  t.match(await uma(realm, undefined, 'report#read'), { status: 200, body: [{ rsname: 'report' }] })
  t.same(await ask(realm, { grant_type: UMA, subject_token: realm.token(), audience: 'api', permission: 'report#read' }), DENIED)
})
