// A token explained: each check in the order of the plugin, and the answer of the API.
import t from 'tap'
import type { TokenSpec } from '../../lib/testing/token-spec.js'
import { apiFor, ask, realmFor } from '../support/app.js'
import { CLIENTS } from '../support/client-certificates.js'
import { doctor, environmentOf, findingsOf, report } from '../support/doctor-cli.js'

const KINDS: Array<[finding: string[], spec: TokenSpec]> = [
  [[], {}],
  [[], { kind: 'at+jwt' }],
  [['typ id_token'], { kind: 'id' }],
  [['typ refresh_token'], { kind: 'refresh' }],
  [['typ offline_token'], { kind: 'offline' }],
  [['header_typ logout_token'], { kind: 'logout' }],
  [['exp exp_passed'], { expired: true }],
  [['iat iat_future'], { age: -100 }],
  [['nbf nbf_future'], { claims: { nbf: 4e9 } }],
  [['exp exp_missing'], { claims: { exp: undefined } }],
  [['iss iss_mismatch'], { claims: { iss: 'https://sso.example.com/realms/acme' } }],
  [['aud aud_mismatch'], { claims: { aud: ['account'] } }],
  [['exp exp_passed', 'aud aud_mismatch'], { expired: true, claims: { aud: 'account' } }],
  [['aud lightweight', 'user user_claim_lightweight'], { kind: 'lightweight' }],
  [['typ dpop_bound'], { kind: 'dpop' }],
  [['cnf sender_constrained'], { claims: { cnf: { 'x5t#S256': 'x' } } }],
  [['identifiers claim_not_string'], { claims: { sub: 5 } }],
  [['signature signature_invalid'], { forged: true }],
  [['key kid_unknown'], { kid: 'nobody' }],
  [['header_alg alg_not_allowed'], { alg: 'ES256' }],
  [['header_crit crit_not_allowed'], { header: { crit: ['x'] } }],
  [['header_kid kid_not_string'], { header: { kid: 5 } as never }],
  [['user user_claim_missing'], { claims: { preferred_username: undefined } }]
]

t.test('each kind of token is explained, and the answer is that of the API', async (t) => {
  const realm = await realmFor(t, { algorithms: ['RS256', 'ES256'] })
  const app = await apiFor(t, realm, { algorithms: 'RS256' })
  for (const [findings, spec] of KINDS) {
    const token = realm.token({ roles: ['read-profile'], ...spec })
    const given = await report({ env: environmentOf(realm), input: token })
    t.same(findingsOf(given), findings, JSON.stringify(spec))
    t.equal(given.code, findings.length === 0 ? 0 : 1)
    const { statusCode, code, reasonCode } = given.token!.answer
    t.equal(await ask(app, '/me', token), code === undefined ? '200' : `${statusCode} ${code}`, 'the API answers so')
    t.equal(reasonCode, findings[0]?.split(' ')[1])
    t.notMatch(given.text, token.split('.')[2]!)
  }
})

t.test('texts that are no token', async (t) => {
  const realm = await realmFor(t)
  for (const [input, finding] of [
    ['nonsense', 'form token_malformed'],
    ['a.b.c', 'form header_not_base64url'],
    ['{"error":"invalid_grant","error_description":"HIDDEN"}', 'authorization token_endpoint_error'],
    ['{"error":5}', 'form token_malformed'],
    ['{nonsense', 'form token_malformed'],
    ['Bearer', 'authorization authorization_empty'],
    ['Authorization: Bearer a b', 'authorization authorization_malformed'],
    [`${realm.token().split('.').slice(0, 2).join('.')}.`, 'signature signature_missing'],
    ['x'.repeat(300_000), 'form token_too_long']
  ] as const) {
    const given = await report({ env: environmentOf(realm), input })
    t.same(findingsOf(given), [finding], input.slice(0, 30))
    t.equal(given.token!.signed, false)
    t.match((await doctor({ env: environmentOf(realm), input })).stdout, /whose signature is not proven|The API answers 401/)
  }
})

t.test('an error of the token endpoint is no token: the doctor says which error it is, and its cure', async (t) => {
  const realm = await realmFor(t)
  for (const [error, sentence] of Object.entries({
    invalid_grant: /^this is the error invalid_grant of the token endpoint, and no token: log in again: the user name, password, code or refresh token is wrong/,
    unauthorized_client: /no token: switch this flow of the client on in Keycloak/,
    HIDDEN: /^this is an error of the token endpoint, and no token: look at its error_description/
  })) {
    const given = await report({ env: environmentOf(realm), input: `${JSON.stringify({ error, error_description: 'HIDDEN' })}\n` })
    t.match(given, { code: 1, token: { issuer: null, signed: false, facts: null, answer: { statusCode: 401, code: 'token_not_valid' } } })
    t.match(given.checks.find(({ subject }) => subject === 'token'), { status: 'failed', code: 'token_endpoint_error', message: sentence })
    t.notMatch(given.text, /HIDDEN/)
  }
})

t.test('the token comes by KEYCLOAK_TOKEN, as a header, in quotes or in an answer of the token endpoint', async (t) => {
  const realm = await realmFor(t)
  const token = realm.token({ roles: ['x'] })
  const env = environmentOf(realm)
  for (const input of [token, `Bearer ${token}`, `authorization: bearer ${token}\n`, `"${token}"`, JSON.stringify({ access_token: token, expires_in: 300 })]) {
    t.match(await report({ env, input }), { code: 0, token: { source: 'standard input', answer: { statusCode: 200 } } })
  }
  t.match(await report({ env: { ...env, KEYCLOAK_TOKEN: token }, input: 'nonsense' }), { code: 0, token: { source: 'KEYCLOAK_TOKEN' } })
  t.match(await doctor({ env, input: token, isTTY: true }), { code: 0, stdout: /No token/ }, 'a terminal is not waited for')
})

t.test('facts of the token are shown if they are short and plain', async (t) => {
  const realm = await realmFor(t)
  const token = realm.token({ authTime: Date.now() / 1000 - 60, claims: { azp: 'HIDDEN\u001b[31m', aud: ['api', 'x'.repeat(200), 5], acr: 'gold', scope: 5, iat: 1e300 } })
  const { token: told, text } = await report({ env: environmentOf(realm), input: token })
  t.match(told, { signed: true, facts: { alg: 'RS256', typ: 'Bearer', iss: realm.issuer, azp: null, aud: ['api', null, null], acr: 'gold', scope: null, issuedAt: null, loginAt: /^20\d\d-/, bound: [] } })
  t.notMatch(text, /HIDDEN|xxxxx/)
  const { stdout } = await doctor({ env: environmentOf(realm), input: token })
  t.match(stdout, /The token of standard input, which the realm signed\n {2}alg "RS256", typ "Bearer", iss ".*", azp -, aud \["api", -, -\], issued -, expires in \d+ s, acr "gold", login \d+ s ago\n/)
  t.match((await doctor({ env: environmentOf(realm), input: realm.token({ claims: { aud: undefined }, expired: true }) })).stdout, /aud -, issued \d+ s ago, expires \d+ s ago/)
})

t.test('introspection', async (t) => {
  const realm = await realmFor(t)
  const env = { ...environmentOf(realm), KEYCLOAK_CLIENT_SECRET: realm.options.clientSecret }
  t.same(findingsOf(await report({ env, input: realm.token({ kind: 'lightweight', roles: ['x'] }) })), [], 'a lightweight token gets its claims by it')
  const token = realm.token()
  realm.revoke(token)
  const inactive = await report({ env, input: token })
  t.match(inactive, { code: 1, token: { answer: { statusCode: 401, code: 'token_not_valid', reasonCode: 'token_inactive' } } })
  t.same(findingsOf(inactive), ['introspection token_inactive'])
  const expired = await report({ env, input: realm.token({ expired: true }) })
  t.same(findingsOf(expired), ['exp exp_passed'])
  t.match(expired.checks.find(({ check, subject }) => subject === 'token' && check === 'introspection'), { status: 'skipped' })
  const wrong = await report({ env: { ...env, KEYCLOAK_CLIENT_SECRET: 'wrong' }, input: realm.token() })
  t.same(findingsOf(wrong), ['introspection credentials', 'introspection secret_wrong'])
  t.equal(wrong.token!.answer.code, 'keycloak_unavailable')
})

t.test('rights: scope, permission and the place of a role', async (t) => {
  const realm = await realmFor(t)
  const env = environmentOf(realm)
  const told = async (route: string[], spec: TokenSpec, options: string[] = []) => {
    const given = await report({ env, input: realm.token(spec), args: [...route.flatMap((each) => ['--route', each]), ...options.flatMap((each) => ['--option', each])] })
    return { findings: findingsOf(given), warnings: given.checks.filter(({ status }) => status === 'warning').map(({ message }) => message), answer: given.token!.answer.code }
  }
  t.same(await told(['permission=read', 'scope=openid'], { roles: ['read'] }), { findings: [], warnings: [], answer: undefined })
  t.match(await told(['permission=read'], { roles: ['other'], realmRoles: ['read'], clientRoles: { billing: ['read'], 'x\n': ['read'] } }), {
    findings: ['permission role_missing'],
    warnings: ['the token has the role at realm_access.roles (write { realmRole: "read" }, or permissionPath: "realm_access.roles") and at resource_access.billing.roles (write { clientRole: "read", client: "billing" }, or clientId: "billing")'],
    answer: 'permission_denied'
  })
  t.match(await told(['permission=read'], { claims: { resource_access: undefined } }), { findings: ['permission roles_absent'], warnings: [] })
  t.match(await told(['permission={"organization":"acme"}'], {}), { findings: ['permission organization_absent'] })
  t.match(await told(['scope=write'], {}), { findings: ['scope scope_missing'], answer: 'permission_denied' })
  t.match(await told([], {}, ['permissionPath=somewhere.else']), { findings: [], warnings: [/permission \(any\) .* at somewhere\.else: the token has no "somewhere"/] })
  t.match(await told(['issuer=test'], { roles: ['x'] }), { findings: [] })
  t.match(await told(['issuer=other'], {}), { findings: ['issuers issuer_denied'] })
})

t.test('step-up: the level and the age of the login', async (t) => {
  const realm = await realmFor(t)
  const env = environmentOf(realm)
  const told = async (spec: TokenSpec) => {
    const given = await report({ env, input: realm.token({ roles: ['x'], ...spec }), args: ['--route', 'acr=gold', '--route', 'maxAge=300', '--option', 'acrLevels=["silver","gold"]'] })
    return [...findingsOf(given), given.token!.answer.code]
  }
  const now = Date.now() / 1000
  t.same(await told({ acr: 'gold', authTime: now - 10 }), [undefined])
  t.same(await told({ acr: 'silver', authTime: now }), ['login acr_too_low', 'insufficient_user_authentication'])
  t.same(await told({ claims: { acr: undefined }, authTime: now }), ['login acr_missing', 'insufficient_user_authentication'])
  t.same(await told({ acr: 'silver', authTime: now - 1000 }), ['login acr_too_low', 'login login_too_old', 'insufficient_user_authentication'], 'one report tells both')
  t.same(await told({ acr: 'gold' }), ['login auth_time_missing', 'insufficient_user_authentication'])
  t.same(await told({ acr: 'gold', authTime: now - 1000 }), ['login login_too_old', 'insufficient_user_authentication'])
})

t.test('tokens that are bound to a key', async (t) => {
  const realm = await realmFor(t)
  const env = environmentOf(realm)
  const told = async (input: string, args: string[] = [], dpop = 'true') => {
    const given = await report({ env, input, args: ['--option', `dpop=${dpop}`, '--option', 'mtls=true', ...args] })
    const binding = given.checks.find(({ check }) => check === 'binding')
    return `${given.token!.facts?.bound} ${binding?.status} ${binding?.code ?? binding?.message}`
  }
  const bound = realm.token({ dpop: true, roles: ['x'] })
  const withCertificate = realm.token({ certificate: CLIENTS.a.cert, roles: ['x'] })
  t.match(await told(bound), /^dpop passed the token is bound to a key of DPoP proofs: send "Authorization: DPoP"/)
  t.match(await told(`DPoP ${bound}`), /^dpop passed/)
  t.equal(await told(`Bearer ${bound}`), 'dpop failed dpop_token_as_bearer')
  t.equal(await told(`DPoP ${realm.token()}`), ' failed dpop_token_unbound')
  t.match(await told(`Bearer ${withCertificate}`), /^certificate passed the token is bound to a certificate/)
  t.equal(await told(realm.token()), ' undefined undefined')
  t.equal(await told(realm.token(), ['--route', 'senderConstrained=true']), ' failed sender_constraint_missing')
  t.equal(await told(realm.token(), [], '{"required":true}'), ' failed sender_constraint_missing')
  t.match((await doctor({ env, input: bound })).stdout, /bound by dpop[^]*FAIL {2}typ .*set the option dpop or mtls \[dpop_bound\]/, 'without the option')
})

t.test('several issuers: the iss of the token picks', async (t) => {
  const [one, other, third] = [await realmFor(t, { name: 'one' }), await realmFor(t, { name: 'one' }), await realmFor(t)]
  const env = { ...environmentOf(one), KEYCLOAK_ISSUER: `${one.issuer} ${other.issuer}` }
  const of = await report({ env, input: other.token({ roles: ['x'], claims: { aud: 'account' } }) })
  t.match(of, { code: 1, token: { issuer: other.issuer, signed: true } })
  t.same(findingsOf(of), ['aud aud_mismatch'])
  const stranger = await report({ env, input: third.token() })
  t.same(findingsOf(stranger), ['issuers issuer_unknown'])
  t.match(stranger.token, { issuer: null, signed: false, facts: { iss: third.issuer }, answer: { statusCode: 401, code: 'token_not_valid' } })
  t.same(findingsOf(await report({ env, input: 'nonsense' })), ['issuers token_malformed'])
})

t.test('the text of a good token ends with the answer of the API, and a failure that is not of the arguments is thrown', async (t) => {
  const realm = await realmFor(t)
  const { code, stdout } = await doctor({ env: environmentOf(realm), input: realm.token() })
  t.equal(code, 0)
  t.match(stdout, /The API answers with what the route returns: the token passes\./)
  const env = new Proxy({}, { get () { throw new RangeError('not of the arguments') } })
  await t.rejects(doctor({ env }), { name: 'RangeError' })
})

t.test('roles of Keycloak\'s own client account, which every user has, are no subject', async (t) => {
  const realm = await realmFor(t)
  const { KEYCLOAK_CLIENT_ID: _, ...env } = environmentOf(realm)
  const { checks } = await report({ env, input: realm.token() })
  t.notOk(checks.some(({ check }) => check === 'roles'))
})
