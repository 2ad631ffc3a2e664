import type { FastifySchema, RouteOptions } from 'fastify'

/** The options for every scheme. */
export interface CommonOpenapiOptions {
  /**
   * The name of the scheme in `components.securitySchemes`. If your document already has a scheme of that name, it is kept,
   * and the routes refer to it. With the plugin's option `dpop` there is a second one, with `-DPoP` at its end.
   * @default 'KeycloakAuth'
   */
  name?: string
  /**
   * The scopes that a login with `oauth2` can request: an array of names, or an object of names and descriptions. The scopes
   * that routes demand (`config.scope`) are added.
   * @default ['openid']
   */
  scopes?: readonly string[] | Readonly<Record<string, string>>
}

/**
 * The options of `openapi()`. The `scheme` is the way to get a token:
 * - `bearer`, the default: any way; Swagger UI shows a field for the token
 * - `oauth2`: the authorization code flow, which the login of Swagger UI needs
 * - `openIdConnect`: the flows that discovery lists
 *
 * The last two need the realm's public URL, as browsers reach it, as `issuer`.
 */
export type OpenapiOptions = CommonOpenapiOptions & (
  | BearerScheme
  | LoginScheme
  | LoginSchemes
)

/** The scheme `bearer`: Swagger UI shows a field for the token. */
export interface BearerScheme {
  /**
   * Any way to get a token.
   * @default 'bearer'
   */
  scheme?: 'bearer'
  /** The realm's public URL, which this scheme does not need. */
  issuer?: string
  /** The realms, which this scheme does not need: it is one for all. */
  issuers?: readonly OpenapiIssuer[]
}

/** The schemes with a login, which need the URL of the realm. */
export interface LoginScheme {
  /** `oauth2`: authorization code flow, with PKCE. `openIdConnect`: the flows that discovery lists. */
  scheme: 'oauth2' | 'openIdConnect'
  /** The realm's public URL, as browsers reach it. */
  issuer: string
  /** With one realm, leave it out. */
  issuers?: never
}

/** The schemes with a login for several realms, one scheme for each: `KeycloakAuth-acme`, `KeycloakAuth-globex`. */
export interface LoginSchemes {
  /** `oauth2`: authorization code flow, with PKCE. `openIdConnect`: the flows that discovery lists. */
  scheme: 'oauth2' | 'openIdConnect'
  /** The realms. A route's `security` names the schemes of those that its `config.issuer` admits: one is enough. */
  issuers: readonly OpenapiIssuer[]
  /** With several realms, write it into `issuers`. */
  issuer?: never
}

/** A realm of the document. The list can be the plugin's option `issuers`, because other members are not read. */
export interface OpenapiIssuer {
  /** The realm's public URL, as browsers reach it. */
  issuer: string
  /**
   * The name that the realm has in the plugin's option `issuers`.
   * @default the realm's name, which is the end of its URL
   */
  name?: string
}

/** The input of a transform of @fastify/swagger, as far as `openapi()` needs it, without a type of @fastify/swagger. */
export interface OpenapiTransformInput {
  /** The route's schema. */
  schema: FastifySchema
  /** The route's path, as the document will show it. */
  url: string
  /** The whole route. */
  route: RouteOptions
  /** The OpenAPI document, not complete yet. */
  openapiObject?: object
  /** The Swagger 2.0 document, not complete yet. */
  swaggerObject?: object
}

/** A `transform` of @fastify/swagger. */
export type OpenapiTransform = (input: OpenapiTransformInput) => { schema: FastifySchema, url: string }

/** Any other transform, such as one of a schema library, which demands a schema type of its own. */
export type OtherTransform = (input: never) => { schema: unknown, url: string }
