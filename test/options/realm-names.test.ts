// A realm's name may have blanks, umlauts and other characters that no URL has as they are. Keycloak writes them
// encoded into iss, and the option has to be written in the same way. Seen on Keycloak 26.7.3 (test/keycloak/realm-names).
import t from 'tap'
import keycloak from '../../index.js'
import { apiFor, ask, realmFor, refusalOf } from '../support/app.js'
import { checksOf, discovers, listening } from '../support/doctor.js'

const HOST = 'https://sso.example.com'
const MUST_BE = 'must be an http or https URL without user name, query, fragment or white space, such as https://sso.example.com/realms/acme, not '
const FULL_URL = 'must be the full URL of a realm, such as https://sso.example.com/realms/acme, not '

/** What the start says of an issuer, after the part that all issuers share. */
async function faultOf (issuer: string, option = 'issuer'): Promise<string> {
  const refusal = await refusalOf({ issuer: `${HOST}/realms/acme`, [option]: issuer })
  const start = `fastify-keycloak-bearer: option "${option}" `
  return [start + MUST_BE, start + FULL_URL].reduce((rest, common) => rest.startsWith(common) ? rest.slice(common.length) : rest, refusal)
}

const NAMES: Array<[name: string, character: string, encoded: string]> = [
  ['my realm', '" "', 'my%20realm'],
  ['münchen', '"ü"', 'm%C3%BCnchen'],
  ['Über uns', '"Ü"', '%C3%9Cber%20uns'],
  ['東京', '"東"', '%E6%9D%B1%E4%BA%AC'],
  ['😀', '"😀"', '%F0%9F%98%80'],
  ['a"b', String.raw`"\""`, 'a%22b'],
  ['a|b', '"|"', 'a%7Cb'],
  ['a^b', '"^"', 'a%5Eb'],
  ['a`b', '"`"', 'a%60b'],
  ['a<b', '"<"', 'a%3Cb'],
  ['[a]', '"["', '%5Ba%5D'],
  ['my%20other realm', '" "', 'my%20other%20realm']
]

t.test('a name with characters that no URL has is refused with the URL to write', async (t) => {
  for (const option of ['issuer', 'serverUrl']) {
    for (const [name, character, encoded] of NAMES) {
      t.equal(await faultOf(`${HOST}/realms/${name}`, option), `one with ${character} in it: encode it, and write "${HOST}/realms/${encoded}"`)
    }
  }
  t.equal(await faultOf(`${HOST}/auth/realms/my realm/`), `one with " " in it: encode it, and write "${HOST}/auth/realms/my%20realm/"`)
  t.equal(await faultOf(`${HOST}:8443/größe/x`), `one with "ö" in it: encode it, and write "${HOST}:8443/gr%C3%B6%C3%9Fe/x"`)
})

t.test('so is a percent sign that encodes nothing', async (t) => {
  for (const [name, encoded] of [['100%', '100%25'], ['a%b', 'a%25b'], ['%zz', '%25zz']]) {
    t.equal(await faultOf(`${HOST}/realms/${name}`), `one with a "%" that encodes nothing: encode it, and write "${HOST}/realms/${encoded}"`)
  }
})

t.test('so is a name that is encoded in another way than Keycloak does it', async (t) => {
  for (const [name, encoded] of [['m%c3%bcnchen', 'm%C3%BCnchen'], ['m%C3%bcnchen', 'm%C3%BCnchen'], ['%61cme', 'acme'], ['my%2drealm%5f1', 'my-realm_1']]) {
    t.equal(await faultOf(`${HOST}/realms/${name}`), `one that is not encoded as Keycloak does it: write "${HOST}/realms/${encoded}"`)
  }
})

t.test('an address of a page comes with the encoded realm', async (t) => {
  for (const page of [`${HOST}/realms/my realm/account/`, `${HOST}/admin/my%20realm/console`, `${HOST}/admin/master/console/#/my realm/users`]) {
    t.equal(await faultOf(page), `the address of one of its pages: write "${HOST}/realms/my%20realm"`)
  }
})

t.test('what is right stays as it is written', async (t) => {
  for (const url of [
    `${HOST}/realms/my%20realm`, `${HOST}/realms/m%C3%BCnchen`, `${HOST}/realms/a%2520b`, `${HOST}/realms/trail%20`, `${HOST}/realms/a'b~c.d-e_f`,
    `${HOST}/realms/a+b`, `${HOST}/realms/a@b(c)!$&*,;=:`, `${HOST}/realms/a%2Bb`, 'https://SSO.Example.com:443/realms/Acme', `${HOST}/pr%c3%bcfix/realms/acme`, `${HOST}/%c3%bc`,
    'https://xn--mnchen-3ya.example/realms/acme', 'http://[::1]:8080/realms/acme', `${HOST}/`, HOST
  ]) t.equal(await faultOf(url), 'started', url)
})

t.test('a host with an umlaut is written in ASCII', async (t) => {
  t.equal(await faultOf('https://münchen.example:8443/realms/acme'), 'one with "ü" in its host: write "https://xn--mnchen-3ya.example:8443/realms/acme"')
  t.equal(await faultOf('https://MÜNCHEN.Example/realms/my realm'), 'one with "Ü" in its host: write "https://xn--mnchen-3ya.example/realms/my%20realm"')
})

t.test('what cannot be encoded is told apart', async (t) => {
  const cases: Array<[url: string, fault: string]> = [
    [`${HOST}\\realms\\acme`, `one with backslashes: write "${HOST}/realms/acme"`],
    [`${HOST}/realms/ac\nme`, 'one with an invisible character (U+000A) in it: leave it out'],
    [`${HOST}/realms/acme\u200b`, 'one with an invisible character (U+200B) in it: leave it out'],
    [`${HOST}/realms/my\u00a0realm`, 'one with an invisible character (U+00A0) in it: leave it out'],
    [`${HOST}/realms/\ud800`, 'one with an invisible character (U+D800) in it: leave it out'],
    [`${HOST}/realms/acme"`, 'one with a quote at its end'],
    [`${HOST}/realms/my realm `, 'one with white space around it: write .trim()'],
    [`${HOST}/realms/{realm}`, 'one with "{" in it: is an environment variable unset?'],
    ['https://<host>/realms/acme', 'one with "<host>" in it: is an environment variable unset?'],
    [`${HOST}/realms/<realm-name>`, 'one with "<realm-name>" in it: is an environment variable unset?'],
    ['https://sso .example.com/realms/acme', 'one whose host or port is not valid'],
    ['https://[1/realms/acme', 'one whose host or port is not valid'],
    [`${HOST}:99999/realms/my realm`, 'one whose host or port is not valid'],
    ['https://a"b/realms/acme', 'one whose host or port is not valid'],
    ['sso.example.com/realms/my realm/account', 'one that does not begin with http:// or https://'],
    ['https://', 'one without a host'],
    ['https:///realms/acme', 'one without a host']
  ]
  for (const [url, fault] of cases) t.equal(await faultOf(url), fault, url)
})

t.test('no password is shown for being encoded', async (t) => {
  for (const url of ['https://me:pass word@sso.example.com/realms/my realm', 'https:///me:pass word@sso.example.com/realms/my realm', 'https:\\\\me:pass word@sso.example.com/realms/ü']) {
    t.notMatch(await faultOf(url), /pass/, url)
  }
  t.equal(await faultOf(`${HOST}/realms/my realm?key=pass word`), 'one with a query (?)')
})

t.test('the OpenAPI document and the test realm know it too', async (t) => {
  t.throws(() => keycloak.openapi({ scheme: 'oauth2', issuer: `${HOST}/realms/my realm` }), { message: new RegExp(`write "${HOST}/realms/my%20realm"$`) })
  for (const name of ['my realm', 'münchen', 'a%b', 'a|b']) {
    const realm = await realmFor(t, { name })
    t.equal(realm.issuer.split('/').at(-1), encodeURIComponent(name))
    const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true })
    t.equal(await ask(app, '/me', realm.token()), '200', name)
    const refused = await app.inject('/me')
    t.match(refused.headers['www-authenticate'], `Bearer realm="${encodeURIComponent(name)}"`)
  }
})

t.test('a token is good when its iss is the option to the letter: nothing is decoded, and no host made small', async (t) => {
  const realm = await realmFor(t, { name: 'münchen' })
  const exact = { issuer: 'https://SSO.Example.com/realms/m%C3%BCnchen', serverUrl: realm.issuer }
  const app = await apiFor(t, realm, exact)
  t.equal(await ask(app, '/me', realm.token({ claims: { iss: exact.issuer } })), '200')
  for (const iss of ['https://sso.example.com/realms/m%C3%BCnchen', 'https://SSO.Example.com/realms/m%c3%bcnchen', 'https://SSO.Example.com/realms/münchen']) {
    t.equal(await ask(app, '/me', realm.token({ claims: { iss } })), '401 token_not_valid', iss)
  }
})

t.test('the check at start says how Keycloak\'s hostname is to be written, when its iss is no URL', async (t) => {
  const realm = await realmFor(t)
  for (const [discovered, hostname] of [['https://münchen.example/realms/test', 'https://xn--mnchen-3ya.example'], ['https://xn--mnchen-3ya.example/größe/realms/test', 'https://xn--mnchen-3ya.example/gr%C3%B6%C3%9Fe']]) {
    discovers(realm, { issuer: discovered })
    const { log } = await listening(t, realm, { issuer: `${hostname}/realms/test`, serverUrl: realm.issuer })
    t.equal(checksOf(log)[0]!.check, 'issuer_mismatch')
    t.match(checksOf(log)[0]!.msg, new RegExp(`: set the hostname option of Keycloak to "${hostname}"$`))
  }
})
