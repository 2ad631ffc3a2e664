import { randomBytes } from 'node:crypto'
import { BoundedMap } from '../../util/bounded-map.js'
import { proves } from './pkce.js'
import { OAuthError } from './reply.js'
import type { Sessions } from './sessions.js'
import { wallMilliseconds } from '../../util/clock.js'

/** The login of a code, and the client, redirect URI and challenge that the code is bound to. */
export interface Grant {
  username: string
  clientId: string
  redirectUri: string
  /** The PKCE challenge, by S256. */
  challenge: string
  /** The scopes that the client asked for. */
  words: readonly string[]
  /** The resource that the client asked for (RFC 8707). */
  resource: string | undefined
  /** The level that the client asked for. */
  acr: string | undefined
  nonce?: string
}

interface Issued extends Grant {
  expires: number
  /** The session that began when the code was exchanged. */
  sid?: string
}

const MAX_CODES = 1000

/** The parameters that must fit the grant of a code. */
export type CodeRequest = Pick<Grant, 'clientId'> & { redirectUri: string | undefined, verifier: string }

/** The authorization codes (RFC 6749 section 4.1.2): each is short-lived, bound to its grant, and valid once. */
export class Codes {
  readonly #issued = new BoundedMap<string, Issued>(MAX_CODES)
  readonly #sessions: Sessions
  readonly #lifespan: number

  constructor (sessions: Sessions, lifespan: number) {
    this.#sessions = sessions
    this.#lifespan = lifespan
  }

  issue (grant: Grant): string {
    const code = randomBytes(32).toString('base64url')
    this.#issued.set(code, { ...grant, expires: wallMilliseconds() + this.#lifespan * 1000 })
    return code
  }

  /**
   * The session and the grant of a code.
   * @throws {OAuthError} `invalid_grant`. A code that comes twice ends its session, because one of its two owners must have
   * stolen it. A code that came with a wrong client, redirect URI or verifier cannot be used again.
   */
  async redeem (code: string, request: CodeRequest): Promise<{ sid: string, grant: Grant }> {
    const grant = this.#issued.get(code)
    if (grant === undefined) throw invalid('Code not valid')
    if (grant.sid !== undefined) {
      await this.#sessions.end(grant.sid)
      throw invalid('Code not valid: it has been used before')
    }
    const problem = this.#problemOf(grant, request)
    if (problem !== undefined) {
      this.#issued.delete(code)
      throw invalid(problem)
    }
    grant.sid = this.#sessions.start(grant)
    return { sid: grant.sid, grant }
  }

  #problemOf (grant: Issued, { clientId, redirectUri, verifier }: CodeRequest): string | undefined {
    if (wallMilliseconds() >= grant.expires) return 'Code is expired'
    if (clientId !== grant.clientId) return 'Code was issued to another client'
    if (redirectUri !== grant.redirectUri) return 'Incorrect redirect_uri'
    if (!proves(verifier, grant.challenge)) return 'PKCE verification failed: code_verifier does not give the code_challenge'
    return undefined
  }
}

function invalid (description: string): OAuthError {
  return new OAuthError('invalid_grant', description)
}
