import type { Scheme } from '../token/credentials.js'
import { addComponent, component, type Document } from './document.js'
import type { OpenapiSettings } from './options.js'

/** A security scheme that the transform declares. */
export interface OwnScheme {
  /** Its name in `components.securitySchemes`. */
  readonly name: string
  /** The name of the only issuer whose tokens it gets; `undefined`: of any. */
  readonly issuer: string | undefined
  /** The scheme of HTTP by which the token comes. */
  readonly carriedBy: Scheme
  /** The scheme; each document gets a new object. */
  make (): object
}

/** An issuer that has a login. */
interface Login extends Pick<OpenapiSettings, 'scopes'> {
  issuer: string
}

/** A table: the schemes with a login, as section "Security Scheme Object" of OpenAPI 3.0.3 and 3.1 defines them. */
const LOGINS: { [scheme in Exclude<OpenapiSettings['scheme'], 'bearer'>]: (login: Login) => object } = {
  oauth2: ({ issuer, scopes }) => ({
    type: 'oauth2',
    flows: {
      authorizationCode: {
        authorizationUrl: `${issuer}/protocol/openid-connect/auth`,
        tokenUrl: `${issuer}/protocol/openid-connect/token`,
        scopes: { ...scopes }
      }
    }
  }),
  openIdConnect: ({ issuer }) => ({
    type: 'openIdConnect',
    openIdConnectUrl: `${issuer}/.well-known/openid-configuration`
  })
}

/** The schemes of the options: with a login one for each issuer, else one for all. */
export function schemesOf ({ scheme, name, issuer, issuers = [], scopes }: OpenapiSettings): readonly OwnScheme[] {
  const carriedBy = 'Bearer'
  if (scheme === 'bearer') return [{ name, issuer: undefined, carriedBy, make: () => ({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }) }]
  const login = (issuer: string) => () => LOGINS[scheme]({ issuer, scopes })
  if (issuer !== undefined) return [{ name, issuer: undefined, carriedBy, make: login(issuer) }]
  const taken = new Set<string>()
  return issuers.map((each) => ({ name: componentName(`${name}-${each.name}`, taken), issuer: each.name, carriedBy, make: login(each.issuer) }))
}

/**
 * The scheme DPoP, beside those of the options. It is one for all issuers, because it says how a token comes and not where it
 * is from, and no part of a login, whose token the readers of a document send as Bearer. OpenAPI allows `bearerFormat`
 * with the scheme bearer alone.
 */
export function withDpop (schemes: readonly OwnScheme[], { name }: OpenapiSettings): readonly OwnScheme[] {
  const taken = new Set(schemes.map((each) => each.name))
  return [...schemes, { name: componentName(`${name}-DPoP`, taken), issuer: undefined, carriedBy: 'DPoP', make: () => ({ type: 'http', scheme: 'dpop', description: DPOP }) }]
}

const DPOP = 'A JWT that is bound to a key of the client, as `Authorization: DPoP`, with a proof for the request in the header `DPoP` (RFC 9449).'

/** A name that OpenAPI's pattern for components allows; a number follows where two issuers would have the same. */
function componentName (name: string, taken: Set<string>): string {
  const allowed = name.replaceAll(/[^\w.-]/g, '_')
  let free = allowed
  for (let at = 2; taken.has(free); at++) free = `${allowed}-${at}`
  taken.add(free)
  return free
}

/** Adds the schemes, unless there is one of that name. */
export function declareSchemes (document: Document, schemes: readonly OwnScheme[]): void {
  for (const { name, make } of schemes) {
    if (component(document, 'securitySchemes', name) === undefined) addComponent(document, 'securitySchemes', name, make())
  }
}

/**
 * The schemes whose tokens a route accepts.
 * @param taken the schemes of HTTP by which they come
 * @param issuers the names that the route's `config.issuer` admits; `undefined` for all
 */
export function admittedBy (schemes: readonly OwnScheme[], taken: readonly Scheme[], issuers: ReadonlySet<string> | undefined): readonly OwnScheme[] {
  return taken.flatMap((scheme) => {
    const carried = schemes.filter(({ carriedBy }) => carriedBy === scheme)
    const admitted = carried.filter(({ issuer }) => issuer === undefined || issuers === undefined || issuers.has(issuer))
    // A route must not look as if it needed no token, only because the document does not list its issuer.
    return admitted.length > 0 ? admitted : carried
  })
}
