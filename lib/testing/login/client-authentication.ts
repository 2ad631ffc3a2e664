import { basicCredentials } from '../basic-credentials.js'
import type { Clients, LoginClient } from './clients.js'
import { OAuthError, type LoginRequest } from './reply.js'

/**
 * The client that sends a request: a public client by its id (RFC 6749 section 3.2.1), a confidential one by its secret, in the
 * header or the form (section 2.3.1).
 * @throws {OAuthError} `invalid_client`
 */
export function authenticatedClient ({ form, authorization }: Pick<LoginRequest, 'form' | 'authorization'>, clients: Clients): LoginClient {
  const basic = basicCredentials(authorization)
  const client = clients.find(form.get('client_id') ?? basic?.[0])
  const secret = form.get('client_secret') ?? basic?.[1]
  if (client !== undefined && (client.secret === undefined || client.secret === secret)) return client
  throw new OAuthError('invalid_client', 'Invalid client or Invalid client credentials', 401)
}
