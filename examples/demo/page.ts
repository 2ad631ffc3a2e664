import { fileURLToPath } from 'node:url'
import helmet from '@fastify/helmet'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { type Issuer, originsOf } from './issuer.js'

const FOLDER = fileURLToPath(new URL('page', import.meta.url))

/** What the page asks, and the route that answers it. */
const QUESTIONS: ReadonlyArray<[url: string, route: string]> = [
  ['/hello', '/hello'],
  ['/me', '/me'],
  ['/profile', '/profile'],
  ['/documents/alice', '/documents/:owner'],
  ['/documents/bob', '/documents/:owner'],
  ['/vault', '/vault'],
  ['/partners', '/partners']
]

/** What the first word of a rule asks for, if it is no role. */
const OF: Readonly<Record<string, string>> = { issuer: 'a token of that realm', acr: 'a login of that level' }

/** The headers of every answer. The page runs no script but its own, and talks to nobody but us and the issuer. */
export async function addHeaders (app: FastifyInstance, { logins }: Issuer): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ['data:'],
        connectSrc: ["'self'", ...originsOf(logins)],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"]
      }
    },
    // Swagger UI's login comes back in a window of its own, and has to reach the one that opened it.
    crossOriginOpenerPolicy: false,
    // The demo is on loopback, without TLS.
    strictTransportSecurity: false
  })
}

/** The page at `/`, and what it has to know. */
export async function addPage (app: FastifyInstance, { logins, clientId, webClientId, realm }: Issuer): Promise<void> {
  await app.register(fastifyStatic, { root: FOLDER, wildcard: false, cacheControl: false })
  app.get('/page.json', { schema: { hide: true }, config: { keycloak: false } }, async () => ({
    issuer: logins[0].issuer,
    issuers: logins,
    clientId: webClientId,
    roleClient: clientId,
    embedded: realm !== undefined,
    questions: QUESTIONS.flatMap(([url, route]) => questionOf(app, url, route, clientId))
  }))
}

/** What a route asks for, in words: what a team would review. `of` says whose role it is, since others have roles too. */
function questionOf (app: FastifyInstance, url: string, path: string, clientId: string): Array<{ url: string, asks: string, of?: string }> {
  const route = app.keycloak.routes().find((each) => each.url === path && each.method === 'GET')
  if (route === undefined) return []
  const { access, rule } = route
  if (rule === undefined) return [{ url, asks: access === 'optional' ? 'nothing' : 'any valid token' }]
  return [{ url, asks: rule, of: OF[rule.split(' ')[0]!] ?? `a role of the client ${clientId}` }]
}
