import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import keycloak from '../../index.js'
import { type Issuer, originsOf } from './issuer.js'

/** The documentation at /docs, whose Authorize button logs in by authorization code with PKCE. */
export async function addDocs (app: FastifyInstance, { logins, webClientId }: Issuer): Promise<void> {
  await app.register(swagger, {
    openapi: { info: { title: 'fastify-keycloak-bearer demo', version: '1.0.0' } },
    // The scheme with a login, one for each realm; what it asks for beside openid comes from the routes.
    transform: keycloak.openapi({ scheme: 'oauth2', issuers: logins })
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    initOAuth: { clientId: webClientId, usePkceWithAuthorizationCodeGrant: true, scopes: ['openid'] },
    staticCSP: {
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': ["'self'", "'unsafe-inline'"],
      'img-src': ["'self'", 'data:'],
      'connect-src': ["'self'", ...originsOf(logins)],
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': "'none'"
    }
  })
}
