import t, { type Test } from 'tap'
import type { Algorithm } from '../../types/options.js'
import type { TestRealm, TokenSpec } from '../../lib/testing/index.js'
import { apiFor, ask, type Log, logging, realmFor, wait, WARN } from '../support/app.js'
import { monotonicFor } from '../support/clocks.js'

const NOT_VALID = '401 token_not_valid'

/** What was said so far, once all that is under way is over. */
async function warnings (log: Log): Promise<string[]> {
  await wait(50)
  return log.lines.filter(({ level, check }) => level === WARN && check === 'algorithms').map(({ msg }) => msg)
}

/** A realm that has keys for several algorithms, and an API that allows RS256 alone. */
async function apiOfRS256 (t: Test, algorithms: readonly Algorithm[]) {
  const realm = await realmFor(t, { algorithms })
  const log = logging()
  return { realm, log, app: await apiFor(t, realm, {}, log) }
}

function ofAnotherKey (realm: TestRealm, spec: TokenSpec): string {
  const [header, payload] = realm.token(spec).split('.')
  return [header, payload, realm.token({ ...spec, username: 'bob' }).split('.')[2]].join('.')
}

for (const alg of ['ES256', 'ES384', 'EdDSA', 'PS256'] as const) {
  t.test(`a token that the realm signed by ${alg}, where RS256 alone is allowed, is refused with one warning that says what to write`, async (t) => {
    const { realm, log, app } = await apiOfRS256(t, ['RS256', alg])
    t.equal(await ask(app, '/me', realm.token()), '200')
    for (let times = 0; times < 5; times++) t.equal(await ask(app, '/me', realm.token({ alg })), NOT_VALID)
    t.same(await warnings(log), [`a token that the realm signed by ${alg} was refused, since the option algorithms is ['RS256']: write algorithms: ['${alg}'], or ['RS256', '${alg}'] if the realm signs by each of them`])
    t.equal(realm.requests.certs, 1)
    t.equal(await ask(app, '/me', realm.token()), '200', 'and the others go on')
  })
}

t.test('it is said where every token is of that algorithm, so that nobody has asked for keys', async (t) => {
  const { realm, log, app } = await apiOfRS256(t, ['ES256', 'RS256'])
  t.equal(await ask(app, '/open', realm.token()), NOT_VALID)
  await t.rejects(app.keycloak.verify(realm.token()), { code: 'token_not_valid' })
  for (let times = 0; times < 100 && (await warnings(log)).length === 0; times++);
  t.match(await warnings(log), [/signed by ES256 .* write algorithms: \['ES256'\]/])
  t.equal(realm.requests.certs, 1)
})

t.test('without a logger it is said by process.emitWarning', async (t) => {
  const realm = await realmFor(t, { algorithms: ['RS256', 'ES256'] })
  const app = await apiFor(t, realm)
  const warned = new Promise<Error>((resolve) => { process.once('warning', resolve) })
  t.equal(await ask(app, '/me', realm.token({ alg: 'ES256' })), NOT_VALID)
  t.match(await warned, { name: 'FastifyKeycloakBearerWarning', code: 'algorithms', message: /write algorithms: \['ES256'\]/ })
})

t.test('it is said again after ten minutes, and of each algorithm', async (t) => {
  const { realm, log, app } = await apiOfRS256(t, ['RS256', 'ES256', 'PS256'])
  const monotonic = monotonicFor(t)
  const askAll = async (): Promise<void> => {
    for (const alg of ['ES256', 'PS256', 'ES256'] as const) {
      t.equal(await ask(app, '/me', realm.token({ alg, expiresIn: 3600 })), NOT_VALID)
      await wait(20)
      monotonic.pass(1.1)
    }
  }
  await askAll()
  t.equal((await warnings(log)).length, 2)
  monotonic.pass(590)
  await askAll()
  t.equal((await warnings(log)).length, 2)
  monotonic.pass(20)
  await askAll()
  t.equal((await warnings(log)).length, 4)
})

t.test('of what the realm did not sign nothing is said: nobody can make the log speak', async (t) => {
  const { realm, log, app } = await apiOfRS256(t, ['RS256', 'ES256'])
  t.equal(await ask(app, '/me', realm.token()), '200')
  const monotonic = monotonicFor(t)
  const alg = 'ES256'
  const tokens: Record<string, string> = {
    forged: realm.token({ alg, forged: true }),
    'with the signature of another': ofAnotherKey(realm, { alg }),
    'of an unknown kid': realm.token({ alg, kid: 'unknown' }),
    'of the kid of another algorithm': realm.token({ alg, kid: JSON.parse(Buffer.from(realm.token().split('.')[0]!, 'base64url').toString()).kid }),
    'of a kid that is a number': realm.token({ alg, header: { kid: 5 as never } }),
    'of another issuer': realm.token({ alg, claims: { iss: 'https://other.example.com/realms/test' } }),
    'an ID token': realm.token({ alg, kind: 'id' }),
    'without a signature': realm.token({ header: { alg: 'none' } }),
    'signed by the public key as a secret': realm.token({ header: { alg: 'HS256' } }),
    'of an algorithm that is none': realm.sign({}, { alg: 'ES256' }).replace(/^[^.]+/, Buffer.from('{"alg":5}').toString('base64url')),
    'of a payload that names a member twice': realm.sign(Buffer.from(`{"iss":"${realm.issuer}","iss":"${realm.issuer}"}`), { alg })
  }
  for (const [name, token] of Object.entries(tokens)) {
    t.equal(await ask(app, '/me', token), NOT_VALID, name)
    t.same(await warnings(log), [], name)
    monotonic.pass(1.1)
  }
  t.equal(realm.requests.certs, 1, 'and none of them asks for keys')
  t.equal(await ask(app, '/me', realm.token({ alg })), NOT_VALID)
  t.equal((await warnings(log)).length, 1, 'while one that it signed is heard')
})

t.test('what no realm can sign asks nobody for keys', async (t) => {
  const { realm, app } = await apiOfRS256(t, ['RS256', 'ES256'])
  for (const alg of ['none', 'HS256']) t.equal(await ask(app, '/me', realm.token({ header: { alg } })), NOT_VALID)
  await wait(20)
  t.equal(realm.requests.certs, 0)
})

t.test('an unknown kid has keys fetched where there are none, and not again', async (t) => {
  const { realm, log, app } = await apiOfRS256(t, ['ES256', 'RS256'])
  for (let times = 0; times < 3; times++) {
    t.equal(await ask(app, '/me', realm.token({ kid: 'unknown' })), NOT_VALID)
    t.same(await warnings(log), [])
  }
  t.equal(realm.requests.certs, 1)
})

t.test('while Keycloak is away nothing is said, and it is asked no more often for it', async (t) => {
  const { realm, log, app } = await apiOfRS256(t, ['ES256', 'RS256'])
  realm.error(500, 'certs')
  for (let times = 0; times < 50; times++) t.equal(await ask(app, '/me', realm.token()), NOT_VALID)
  t.same(await warnings(log), [])
  t.equal(realm.requests.certs, 1)
})
