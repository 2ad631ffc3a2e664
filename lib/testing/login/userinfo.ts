import type { Claims } from '../jws.js'
import { jsonReply, type LoginRequest, type Reply } from './reply.js'

const CLAIMS = ['sub', 'email_verified', 'name', 'preferred_username', 'given_name', 'family_name', 'email']

/** The UserInfo endpoint (OpenID Connect Core section 5.3): the claims about the user of a valid access token. */
export function userinfo ({ authorization }: LoginRequest, activeClaims: (token: string) => Claims | null): Reply {
  const [, token = ''] = /^Bearer +(\S+)$/i.exec(authorization) ?? []
  const claims = activeClaims(token)
  if (claims?.typ === 'Bearer') return jsonReply(200, Object.fromEntries(CLAIMS.map((claim) => [claim, claims[claim]])))
  const error = { error: 'invalid_token', error_description: 'Token verification failed' }
  return jsonReply(401, error, { 'www-authenticate': `Bearer error="${error.error}", error_description="${error.error_description}"` })
}
