// Only the canonical URL of a realm is asked about: all other issuers are unknown without a call.
import t from 'tap'
import { isTenantIssuer } from '../../lib/realm/tenant-issuer.js'
import { tenantsFor } from '../support/tenants.js'

const CANONICAL = [
  'https://sso.example.com/realms/acme',
  'http://localhost:8080/realms/acme',
  'http://127.0.0.1:8080/realms/acme',
  'http://[::1]:8080/realms/acme',
  'https://sso.example.com/auth/realms/acme',
  'https://sso.example.com/realms/my%20realm',
  'https://sso.example.com/realms/caf%C3%A9',
  'https://xn--caf-dma.example/realms/acme',
  `https://sso.example.com/realms/${'a'.repeat(255)}`
]

const OTHERS: Record<string, string> = {
  'an empty text': '',
  'a name': 'acme',
  'a slash at the end': 'https://sso.example.com/realms/acme/',
  'two slashes': 'https://sso.example.com//realms/acme',
  'no realm': 'https://sso.example.com/realms/',
  'another path': 'https://accounts.example.com/o/oauth2',
  'a path below the realm': 'https://sso.example.com/realms/acme/account',
  'no path': 'https://sso.example.com',
  'capital letters in the host': 'https://SSO.example.com/realms/acme',
  'capital letters in the scheme': 'HTTPS://sso.example.com/realms/acme',
  'another scheme': 'ftp://sso.example.com/realms/acme',
  'a script': 'javascript:alert(1)//realms/acme',
  'a file': 'file:///realms/acme',
  'the default port of https': 'https://sso.example.com:443/realms/acme',
  'the default port of http': 'http://sso.example.com:80/realms/acme',
  'an empty port': 'https://sso.example.com:/realms/acme',
  'a port that is none': 'https://sso.example.com:99999/realms/acme',
  'a needless encoding': 'https://sso.example.com/realms/%61cme',
  'a needless encoding before the realm': 'https://sso.example.com/%61uth/realms/acme',
  'an encoding in small letters': 'https://sso.example.com/realms/caf%c3%a9',
  'an encoding in small letters before the realm': 'https://sso.example.com/caf%c3%a9/realms/acme',
  'a percent sign that encodes nothing': 'https://sso.example.com/realms/100%',
  'a character that has to be encoded': 'https://sso.example.com/realms/my realm',
  'another one': 'https://sso.example.com/realms/a|b',
  'a backslash': 'https://sso.example.com\\realms\\acme',
  'dots in the path': 'https://sso.example.com/realms/other/../acme',
  'encoded dots in the path': 'https://sso.example.com/x/%2E%2E/realms/acme',
  'a user name': 'https://evil@sso.example.com/realms/acme',
  'a user name and a password': 'https://sso.example.com:secret@evil.example/realms/acme',
  'a query': 'https://sso.example.com/realms/acme?x=1',
  'an empty query': 'https://sso.example.com/realms/acme?',
  'a fragment': 'https://sso.example.com/realms/acme#x',
  'white space': ' https://sso.example.com/realms/acme',
  'a line break': 'https://sso.example.com/realms/acme\n',
  'a byte of zero': 'https://sso.example.com/realms/acme\0',
  'a letter that is not ASCII in the host': 'https://café.example/realms/acme',
  'a letter that is not ASCII in the path': 'https://sso.example.com/realms/café',
  'another spelling of 127.0.0.1': 'http://127.1/realms/acme',
  'an address as a number': 'http://2130706433/realms/acme',
  'an address in hexadecimal digits': 'http://0x7f.0.0.1/realms/acme',
  'a placeholder': 'https://sso.example.com/realms/undefined',
  'very many characters': `https://sso.example.com/realms/${'a'.repeat(100_000)}`,
  'very many segments': `https://sso.example.com/${'realms/'.repeat(15_000)}acme`,
  'very many admin consoles': `https://sso.example.com/${'admin/a/'.repeat(250)}realms/a`,
  __proto__: '__proto__'
}

t.test('the URLs of realms, as Keycloak writes them', async (t) => {
  for (const iss of CANONICAL) t.ok(isTenantIssuer(iss), iss)
})

t.test('others are unknown, without a call', async (t) => {
  const { ask, asked } = tenantsFor(t)
  for (const [name, iss] of Object.entries(OTHERS)) t.equal(await ask(iss), name === 'very many admin consoles' ? 'good' : 'issuer_unknown', name)
  t.same(asked, [OTHERS['very many admin consoles']])
})
