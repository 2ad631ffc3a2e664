// What an array or an object has beside its items and its names: holes, methods of a class, symbols. None of it is left out in
// silence, because a list that lost an item can be empty, which opens what it should close.
import t from 'tap'
import { openapi } from '../../index.js'
import { refusalOf } from '../support/app.js'
import { settingsFor } from '../support/settings.js'

const issuer = 'https://sso.example.com/realms/acme'

/** An array with a hole after these items. */
function holed (...items: unknown[]): unknown[] {
  items.length++
  return items
}

function openapiRefusal (options: object): string {
  try {
    openapi(options)
    return 'made'
  } catch ({ message }: any) {
    return message
  }
}

const HOLES: ReadonlyArray<readonly [options: object, where: string, must: RegExp]> = [
  [{ audience: holed() }, 'audience.0', /a client id/],
  [{ audience: holed('api') }, 'audience.1', /a client id/],
  [{ authorizedParties: holed() }, 'authorizedParties.0', /the id of a client whose tokens are accepted/],
  [{ algorithms: holed('RS256') }, 'algorithms.1', /one or more of RS256, .*/],
  [{ backchannelLogout: { path: '/logout', clients: holed() } }, 'backchannelLogout.clients.0', /a client id/],
  [{ dpop: { nonce: { secret: holed() } } }, 'dpop.nonce.secret.0', /a text of 32 characters or more, .*/],
  [{ dpop: { algorithms: holed('ES256') } }, 'dpop.algorithms.1', /one or more of ES256, .*/],
  [{ mtls: { header: 'client-cert', proxies: holed() } }, 'mtls.proxies.0', /the address or the network of a proxy, .*/],
  [{ acrLevels: holed('silver', 'gold') }, 'acrLevels.2', /a level of authentication .*/],
  [{ permissionPath: holed('a') }, 'permissionPath.1', /a dotted string .*/],
  [{ groupsClaim: holed() }, 'groupsClaim.0', /the name or path of a claim, .*/],
  [{ userIdClaim: holed('a') }, 'userIdClaim.1', /the name of a claim, .*/],
  [{ claimMapping: { x: holed() } }, 'claimMapping.x.0', /the name of a claim, .*/],
  [{ scopeImplies: { a: holed('b') } }, 'scopeImplies.a.1', /a word of the scope claim .*/],
  [{ resource: { resource: 'https://api.example.com', scopes: holed() } }, 'resource.scopes.0', /a word of the scope claim .*/],
  [{ introspection: { keepClaims: holed() } }, 'introspection.keepClaims.0', /the name of a claim that restricts, .*/],
  [{ acceptRisks: holed() }, 'acceptRisks.0', /the code of a risk .*/],
  [{ ca: holed() }, 'ca.0', /a certificate in PEM .*/],
  [{ issuer: undefined, issuers: holed() }, 'issuers[0]', /an object with issuer at least/],
  [{ issuer: undefined, issuers: holed({ issuer }) }, 'issuers[1]', /an object with issuer at least/]
]

t.test('a hole in an array is refused in the words for undefined', async (t) => {
  for (const [options, where, must] of HOLES) {
    const refusal = await refusalOf({ issuer, ...options })
    const begin = `fastify-keycloak-bearer: option "${where}" must be `
    t.equal(refusal.slice(0, begin.length), begin)
    t.match(refusal.slice(begin.length), new RegExp(`^${must.source}, not undefined$`))
  }
  t.match(openapiRefusal({ scopes: holed() }), /option "scopes.0" must be the name of a scope, such as "openid", not undefined$/)
  t.match(openapiRefusal({ scheme: 'oauth2', issuers: holed() }), /option "issuers.0" must be an object with issuer, .*, not undefined$/)
})

t.test('nothing fills a hole from a prototype', async (t) => {
  t.teardown(() => { delete (Object.prototype as Record<string, unknown>)['0'] })
  Object.assign(Object.prototype, { 0: 'web' })
  t.match(await refusalOf({ issuer, audience: holed() }), /option "audience.0" must be a client id, not undefined$/)
  t.match(openapiRefusal({ scheme: 'oauth2', issuers: holed() }), /option "issuers.0" must be .*, not undefined$/)
})

t.test('the items of an array are its own, whatever its class says', async (t) => {
  class Odd extends Array<string> {
    override map (): any { return ['everybody'] }
    override flat (): any { return ['everybody'] }
    override [Symbol.iterator] (): any { return ['everybody'].values() }
  }
  const odd = (...items: string[]): string[] => { const list = new Odd(); list.push(...items); return list }
  t.same([...settingsFor({ issuer, audience: odd('api'), groupsClaim: odd('groups') }).realm.audience!], ['api'])
  t.match(await refusalOf({ issuer, algorithms: odd('none') }), /option "algorithms.0" must be one or more of .*, not "none"$/)
  t.match(await refusalOf({ issuers: odd('acme') }), /option "issuers\[0\]" must be an object with issuer at least, not a string$/)
  t.match(openapiRefusal({ scheme: 'oauth2', issuers: odd('acme') }), /option "issuers.0" must be .*, not a string$/)
})

t.test('a symbol among the keys is refused', async (t) => {
  const found = /, not one with a symbol among its keys$/
  for (const options of [{ claimMapping: { [Symbol('x')]: 'email' } }, { scopeImplies: { a: ['b'], [Symbol('a')]: ['c'] } }]) {
    const refusal = await refusalOf({ issuer, ...options })
    t.match(refusal, found)
    t.match(refusal, new RegExp(`option "${Object.keys(options)[0]}" must be an object of `))
  }
  t.match(openapiRefusal({ scopes: { [Symbol('x')]: 'all' } }), /option "scopes" must be an array of scopes, or an object of scopes and their meanings, not one with a symbol among its keys$/)
  // A mark that a tool leaves there.
  t.equal(await refusalOf({ issuer, claimMapping: Object.defineProperty({}, Symbol('mark'), { value: true }) }), 'started')
})
