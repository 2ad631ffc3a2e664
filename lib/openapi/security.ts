import { addComponent, component, isOurs, type Document, type Requirement } from './document.js'
import type { OpenapiSettings } from './options.js'

/** The part of a scheme that is looked at. */
interface Scheme {
  type?: string
  flows?: { authorizationCode: { scopes: Record<string, string> } }
}

/** A table: each scheme as OpenAPI 3.0.3 and 3.1 section "Security Scheme Object" write it. New for each document. */
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
 * What a route demands: our scheme, and with it what the document demands of all its routes, since a route's `security`
 * takes the place of the document's.
 */
export function requirementsOf (document: Document, name: string, scopes: readonly string[]): Requirement[] {
  const scheme: Scheme | undefined = component(document, 'securitySchemes', name)
  // OpenAPI 3.0 wants the list empty for every other type.
  const needed = scheme?.type === 'oauth2' || scheme?.type === 'openIdConnect' ? scopes : []
  if (scheme?.flows !== undefined && isOurs(scheme)) offer(scheme.flows.authorizationCode.scopes, needed)
  const everywhere: readonly Requirement[] = document.security?.length ? document.security : [{}]
  return everywhere.map((each) => ({ ...each, [name]: [...new Set([...(Object.hasOwn(each, name) ? each[name]! : []), ...needed])] }))
}

/** A scope that a route needs can be asked for. */
function offer (offered: Record<string, string>, needed: readonly string[]): void {
  for (const scope of needed) {
    if (!Object.hasOwn(offered, scope)) offered[scope] = ''
  }
}
