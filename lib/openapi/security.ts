import { addComponent, component, isOurs, type Document, type Requirement } from './document.js'
import type { OpenapiSettings } from './options.js'

/** The members of a scheme that the transform reads. */
interface Scheme {
  type?: string
  /** For `http`, in upper or lower case (RFC 9110 section 11.1). */
  scheme?: string
  /** For `apiKey`: `header`, `query` or `cookie`, and the name there. */
  in?: string
  name?: string
  flows?: { authorizationCode: { scopes: Record<string, string> } }
}

/** A table: each scheme as section "Security Scheme Object" of OpenAPI 3.0.3 and 3.1 defines it. Each document gets new objects. */
const SCHEMES: { [scheme in OpenapiSettings['scheme']]: (settings: OpenapiSettings) => object } = {
  bearer: () => ({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }),
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

/** Adds the scheme, unless there is one of that name. */
export function declareScheme (document: Document, settings: OpenapiSettings): void {
  const { name, scheme } = settings
  if (component(document, 'securitySchemes', name) === undefined) {
    addComponent(document, 'securitySchemes', name, SCHEMES[scheme](settings))
  }
}

/**
 * The requirements of a route: our scheme together with the document's requirements for all routes, because a route's `security`
 * replaces the document's.
 */
export function requirementsOf (document: Document, name: string, scopes: readonly string[]): Requirement[] {
  const scheme: Scheme | undefined = component(document, 'securitySchemes', name)
  // In OpenAPI 3.0 every other type must have an empty list.
  const needed = scheme?.type === 'oauth2' || scheme?.type === 'openIdConnect' ? scopes : []
  if (scheme?.flows !== undefined && isOurs(scheme)) offer(scheme.flows.authorizationCode.scopes, needed)
  const everywhere: readonly Requirement[] = document.security?.length ? document.security : [{}]
  return distinct(everywhere.map((each) => ({ ...each, [name]: [...new Set([...(Object.hasOwn(each, name) ? each[name]! : []), ...needed])] })))
}

/**
 * The requirements of a route that needs no token, if the document demands one of all routes: the document's other
 * requirements, or an empty list, which means "none". `undefined` if the document's own list is right.
 * @param optional may a request have a token although it needs none?
 */
export function requirementsWithoutToken (document: Document, name: string, optional: boolean): Requirement[] | undefined {
  const everywhere = document.security ?? []
  const rest = everywhere.map((each) => Object.fromEntries(Object.entries(each).filter(([scheme]) => scheme !== name && !carriesToken(document, scheme))))
  const unchanged = rest.every((each, at) => Object.keys(each).length === Object.keys(everywhere[at]!).length)
  if (unchanged || (optional && everywhere.some(isEmpty))) return undefined
  return rest.some(isEmpty) ? [] : distinct(rest)
}

/** Is this a scheme of the user's whose token comes in the Authorization header, as ours does? */
function carriesToken (document: Document, name: string): boolean {
  const scheme: Scheme | undefined = component(document, 'securitySchemes', name)
  if (scheme?.type === 'http') return scheme.scheme?.toLowerCase() === 'bearer'
  if (scheme?.type === 'apiKey') return scheme.in === 'header' && scheme.name?.toLowerCase() === 'authorization'
  return scheme?.type === 'oauth2' || scheme?.type === 'openIdConnect'
}

function isEmpty (requirement: Requirement): boolean {
  return Object.keys(requirement).length === 0
}

/** Removes equal requirements: two that differed by our scheme become equal when the route demands it of both. */
function distinct (requirements: readonly Requirement[]): Requirement[] {
  return [...new Map(requirements.map((each) => [JSON.stringify(each), each])).values()]
}

/** Adds the scopes of a route to those that the flow offers, so that a user of the document can request them. */
function offer (offered: Record<string, string>, needed: readonly string[]): void {
  for (const scope of needed) {
    if (!Object.hasOwn(offered, scope)) offered[scope] = ''
  }
}
