// A Keycloak with Authorization Services over a socket, which can be told to misbehave. It decides as 26.7.3 was seen to do.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { TestRealm } from '../../lib/testing/index.js'

export interface UmaResource {
  id: string
  name: string
  /** `api` or the name of a user. */
  owner: string
  scopes: string[]
  /** By user: the scopes that the policies grant, or that the owner shares. */
  grants: Record<string, string[]>
}

type Answer = (request: IncomingMessage, response: ServerResponse, parameters: URLSearchParams) => void

export interface UmaServer {
  url: string
  resources: UmaResource[]
  /** The forms of the questions for decisions. */
  asked: URLSearchParams[]
  /** The names that were looked up. */
  names: string[]
  /** The number of tokens that the service account got. */
  tokens: number
  /** Answers decisions, look-ups of names, or tokens of the service account from now on; `undefined`: as Keycloak does. */
  respond: (kind: 'decision' | 'names' | 'token', answer: Answer | undefined) => void
  close: () => Promise<unknown>
}

export const id = (digit: number): string => `${String(digit).repeat(8)}-0000-4000-8000-000000000000`

export const SERVICE_TOKEN = 'service-account.token'

const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** Answers with a status and a body. */
export const answers = (status: number, body: unknown): Answer => (_request, response) => {
  response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
}

/** A refusal as Keycloak writes it. */
export const refuses = (status: number, error: string, description?: string): Answer => answers(status, { error, error_description: description })

/** The user of a token; `undefined` for a text that is no token. */
function userOf (token: string | null): string | undefined {
  try {
    return JSON.parse(Buffer.from(token!.split('.')[1]!, 'base64url').toString()).preferred_username
  } catch {
    return undefined
  }
}

function decide (resources: readonly UmaResource[], parameters: URLSearchParams): [status: number, body: unknown] {
  const user = userOf(parameters.get('subject_token'))
  if (user === undefined) return [400, { error: 'unauthorized_client', error_description: 'Invalid identity' }]
  const granted = new Map<UmaResource, Set<string>>()
  let isFirst = true
  const asked = parameters.getAll('permission')
  for (const permission of asked.length === 0 ? resources.map((resource) => resource.id) : asked) {
    const [name, list = ''] = permission.split('#')
    const byId = resources.filter((resource) => resource.id === name)
    const found = byId.length > 0 ? byId : resources.filter((resource) => resource.name === name && (resource.owner === 'api' || user in resource.grants))
    if (found.length === 0 && isFirst) return [400, { error: 'invalid_resource', error_description: `Resource with id [${name}] does not exist.` }]
    isFirst = false
    const scopes = list === '' ? undefined : list.split(',')
    if (scopes?.every((scope) => !resources.some((resource) => resource.scopes.includes(scope)))) return [400, { error: 'invalid_scope', error_description: `One of the given scopes [${scopes[0]}] is invalid` }]
    for (const resource of found) {
      const own = resource.grants[user]
      if (own === undefined) continue
      const given = own.filter((scope) => resource.owner !== 'api' || scopes === undefined || scopes.includes(scope))
      if (given.length > 0 || resource.scopes.length === 0) granted.set(resource, new Set([...granted.get(resource) ?? [], ...given]))
    }
  }
  if (granted.size === 0) return [403, { error: 'access_denied', error_description: 'not_authorized' }]
  return [200, Array.from(granted, ([{ id, name }, scopes]) => ({ ...scopes.size > 0 && { scopes: [...scopes] }, rsid: id, rsname: name }))]
}

/** Reads as the Protection API does: names in upper and lower case alike. */
function find (resources: readonly UmaResource[], query: URLSearchParams): unknown[] {
  return resources
    .filter(({ name, owner }) => name.toLowerCase() === query.get('name')!.toLowerCase() && owner === query.get('owner'))
    .map(({ id, name, owner, scopes }) => ({ name, owner: { id: `id-of-${owner}`, name: owner }, ownerManagedAccess: owner !== 'api', attributes: {}, _id: id, uris: [], scopes: scopes.map((scope) => ({ name: scope })) }))
}

export async function umaServerFor (t: Test, realm: TestRealm, resources: UmaResource[]): Promise<UmaServer> {
  const custom = new Map<string, Answer>()
  const server = createServer((request, response) => {
    const { pathname, search, searchParams } = new URL(request.url!, 'http://localhost')
    let body = ''
    request.setEncoding('utf8').on('data', (part) => { body += part }).on('end', () => {
      if (pathname.endsWith('/authz/protection/resource_set')) {
        uma.names.push(searchParams.get('name')!)
        const own = custom.get('names')
        if (own !== undefined) return own(request, response, searchParams)
        if (request.headers.authorization !== `Bearer ${SERVICE_TOKEN}`) return json(response, 403, { error: 'invalid_bearer_token', error_description: 'Could not obtain bearer access_token from request.' })
        return json(response, 200, find(uma.resources, searchParams))
      }
      const form = new URLSearchParams(body)
      const kind = form.get('grant_type') === 'client_credentials' ? 'token' : 'decision'
      if (!pathname.endsWith('/protocol/openid-connect/token')) return forward(`${realm.issuer.replace(/\/realms\/.*/, '')}${pathname}${search}`, response)
      if (kind === 'token') uma.tokens++
      else uma.asked.push(form)
      const own = custom.get(kind)
      if (own !== undefined) return own(request, response, form)
      if (form.get('client_id') !== 'api' || form.get('client_secret') !== realm.options.clientSecret) return json(response, 401, { error: 'unauthorized_client', error_description: 'Invalid client or Invalid client credentials' })
      if (kind === 'token') return json(response, 200, { access_token: SERVICE_TOKEN, expires_in: 300, token_type: 'Bearer' })
      return json(response, ...decide(uma.resources, form))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const path = new URL(realm.issuer).pathname
  const uma: UmaServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    resources,
    asked: [],
    names: [],
    tokens: 0,
    respond (kind, answer) {
      if (answer === undefined) custom.delete(kind)
      else custom.set(kind, answer)
    },
    close: () => new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
    })
  }
  t.teardown(() => uma.close())
  return uma
}

/** The keys and all other documents are those of the realm. */
function forward (url: string, response: ServerResponse): void {
  fetch(url).then(async (answer) => { response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text()) })
    .catch(() => response.destroy())
}

/** Resources of the API, and one of dave that has the name of one of them. */
export const RESOURCES: UmaResource[] = [
  { id: id(1), name: 'invoice', owner: 'api', scopes: ['read', 'write', 'delete'], grants: { alice: ['read'], carol: ['read', 'write'] } },
  { id: id(2), name: 'invoice', owner: 'dave', scopes: ['read', 'write'], grants: { bob: ['write', 'read'] } },
  { id: id(3), name: 'invoice:7', owner: 'api', scopes: ['read', 'write'], grants: { alice: ['read'] } },
  { id: id(4), name: 'dashboard', owner: 'api', scopes: [], grants: { alice: [] } },
  { id: id(5), name: id(6), owner: 'api', scopes: ['read'], grants: { alice: ['read'] } },
  { id: id(7), name: id(8), owner: 'dave', scopes: ['read'], grants: { bob: ['read'] } }
]

/** The options of an API on that server, without the check of the start. */
export function umaOptions (uma: UmaServer, options: object = {}): { serverUrl: string, uma: object } {
  return { serverUrl: uma.url, uma: options }
}
