import type { FastifySchema, RouteOptions } from 'fastify'

/** What goes with each scheme. */
export interface CommonOpenapiOptions {
  /**
   * What the scheme is called in `components.securitySchemes`. Where you declared one of that name yourself, yours is
   * kept, and the routes refer to it.
   * @default 'KeycloakAuth'
   */
  name?: string
  /**
   * The scopes that a login with `oauth2` can ask for: names, or names and what they mean. The ones that routes need
   * (`config.scope`) are added.
   * @default ['openid']
   */
  scopes?: readonly string[] | Readonly<Record<string, string>>
}

/**
 * The options of `openapi()`. The `scheme` says how one gets a token:
 * - `bearer`, the default: by any way; a field to paste it into
 * - `oauth2`: by the authorization code flow, which is what Swagger UI's login needs
 * - `openIdConnect`: by what discovery lists
 *
 * The last two need the realm's public URL, as browsers reach it, as `issuer`.
 */
export type OpenapiOptions = CommonOpenapiOptions & (
  | BearerScheme
  | LoginScheme
)

/** A field to paste a token into. */
export interface BearerScheme {
  /**
   * Any way to get a token will do.
   * @default 'bearer'
   */
  scheme?: 'bearer'
  /** The realm's public URL, which this scheme does not need. */
  issuer?: string
}

/** A login, which needs the realm. */
export interface LoginScheme {
  /** `oauth2`: authorization code flow, with PKCE. `openIdConnect`: what discovery lists. */
  scheme: 'oauth2' | 'openIdConnect'
  /** The realm's public URL, as browsers reach it. */
  issuer: string
}

/** What @fastify/swagger hands to a transform, as far as `openapi()` needs it: no type of @fastify/swagger's own. */
export interface OpenapiTransformInput {
  /** The route's schema. */
  schema: FastifySchema
  /** The route's path, as it will stand in the document. */
  url: string
  /** The whole route. */
  route: RouteOptions
  /** The document in the making. */
  openapiObject?: object
  /** The same of Swagger 2.0. */
  swaggerObject?: object
}

/** A `transform` of @fastify/swagger. */
export type OpenapiTransform = (input: OpenapiTransformInput) => { schema: FastifySchema, url: string }

/** Any other transform: those of schema libraries ask for schemas of their own. */
export type OtherTransform = (input: never) => { schema: unknown, url: string }
