import { component, isOurs, type Document, type Requirement } from './document.js'
import type { OwnScheme } from './schemes.js'

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

/**
 * The requirements of a route: a scheme of ours that it admits, together with the document's requirements for all routes,
 * because a route's `security` replaces the document's.
 * @param schemes all of ours
 * @param admitted those of which the route needs one
 */
export function requirementsOf (document: Document, schemes: readonly OwnScheme[], admitted: readonly OwnScheme[], scopes: readonly string[]): Requirement[] {
  const everywhere: readonly Requirement[] = document.security?.length ? document.security : [{}]
  return distinct(everywhere.flatMap((each) => admitted.map(({ name }) => {
    const others = new Set(schemes.map((scheme) => scheme.name))
    others.delete(name)
    return { ...without(each, others), [name]: [...new Set([...(Object.hasOwn(each, name) ? each[name]! : []), ...neededScopes(document, name, scopes)])] }
  })))
}

/** The scopes that the requirement of a scheme names; a login with our scheme offers them. */
function neededScopes (document: Document, name: string, scopes: readonly string[]): readonly string[] {
  const scheme: Scheme | undefined = component(document, 'securitySchemes', name)
  // In OpenAPI 3.0 every other type must have an empty list.
  const needed = scheme?.type === 'oauth2' || scheme?.type === 'openIdConnect' ? scopes : []
  if (scheme?.flows !== undefined && isOurs(scheme)) offer(scheme.flows.authorizationCode.scopes, needed)
  return needed
}

/**
 * The requirements of a route that needs no token, if the document demands one of all routes: the document's other
 * requirements, or an empty list, which means "none". `undefined` if the document's own list is right.
 * @param optional may a request have a token although it needs none?
 */
export function requirementsWithoutToken (document: Document, schemes: readonly OwnScheme[], optional: boolean): Requirement[] | undefined {
  const everywhere = document.security ?? []
  const ours = new Set(schemes.map(({ name }) => name))
  const rest = everywhere.map((each) => without(each, new Set(Object.keys(each).filter((name) => ours.has(name) || carriesToken(document, name)))))
  const unchanged = rest.every((each, at) => Object.keys(each).length === Object.keys(everywhere[at]!).length)
  if (unchanged || (optional && everywhere.some(isEmpty))) return undefined
  return rest.some(isEmpty) ? [] : distinct(rest)
}

function without (requirement: Requirement, names: ReadonlySet<string>): Requirement {
  return Object.fromEntries(Object.entries(requirement).filter(([name]) => !names.has(name)))
}

/** Is this a scheme of the user's whose token comes in the Authorization header, as ours does? */
function carriesToken (document: Document, name: string): boolean {
  const scheme: Scheme | undefined = component(document, 'securitySchemes', name)
  if (scheme?.type === 'http') return /^(bearer|dpop)$/i.test(String(scheme.scheme))
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
