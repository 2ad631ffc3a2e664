import { createHash } from 'node:crypto'

/** Has the challenge the form of S256: 32 bytes as base64url (RFC 7636 section 4.2)? */
export function isChallenge (challenge: string): boolean {
  return /^[\w-]{43}$/.test(challenge)
}

/** Does the verifier have the form of RFC 7636 section 4.1, and result in the challenge? */
export function proves (verifier: string, challenge: string): boolean {
  return /^[\w.~-]{43,128}$/.test(verifier) && createHash('sha256').update(verifier).digest('base64url') === challenge
}
