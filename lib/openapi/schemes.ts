import { addComponent, component, type Document } from './document.js'
import type { OpenapiSettings } from './options.js'

/** A security scheme that the transform declares. */
export interface OwnScheme {
  /** Its name in `components.securitySchemes`. */
  readonly name: string
  /** The name of the only issuer whose tokens it gets; `undefined`: of any. */
  readonly issuer: string | undefined
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
  if (scheme === 'bearer') return [{ name, issuer: undefined, make: () => ({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }) }]
  const login = (issuer: string) => () => LOGINS[scheme]({ issuer, scopes })
  if (issuer !== undefined) return [{ name, issuer: undefined, make: login(issuer) }]
  const taken = new Set<string>()
  return issuers.map((each) => ({ name: componentName(`${name}-${each.name}`, taken), issuer: each.name, make: login(each.issuer) }))
}

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
 * @param issuers the names that the route's `config.issuer` admits; `undefined` for all
 */
export function admittedBy (schemes: readonly OwnScheme[], issuers: ReadonlySet<string> | undefined): readonly OwnScheme[] {
  if (issuers === undefined) return schemes
  const admitted = schemes.filter(({ issuer }) => issuer === undefined || issuers.has(issuer))
  // A route must not look as if it needed no token, only because the document does not list its issuer.
  return admitted.length > 0 ? admitted : schemes
}
