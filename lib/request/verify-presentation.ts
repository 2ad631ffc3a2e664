import type { VerifyPresentation } from '../../types/instance.js'
import { thumbprintOf } from '../proof/thumbprint.js'
import type { Presentation } from '../proof/sender-constraint.js'
import { kindOf } from '../util/kind-of.js'
import { memberOf } from '../util/members.js'

/**
 * The presentation of a token that does not come in a request, by the parameters of `verify()`.
 * @throws {TypeError} for a proof without method or URL, and for members of another type
 */
export function presentationOf (token: string, given: VerifyPresentation | undefined): Presentation {
  const proof = text(given, 'proof')
  const certificate = given && memberOf(given, 'certificate')
  return {
    scheme: proof === undefined ? 'Bearer' : 'DPoP',
    token,
    proof: () => ({ method: needed(given, 'method'), url: absolute(needed(given, 'url')), proofs: [proof!] }),
    certificate: () => certificate === undefined ? undefined : thumbprintOf(certificate as string | Buffer)
  }
}

function absolute (url: string): string {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) throw new TypeError('verify() needs url as the whole URL that the client called, such as https://api.example.com/profile')
  return url
}

type Name = 'proof' | 'method' | 'url'

function text (given: VerifyPresentation | undefined, name: Name): string | undefined {
  const value = given && memberOf(given, name)
  if (value !== undefined && typeof value !== 'string') throw new TypeError(`verify() needs ${name} as a string, not ${kindOf(value)}`)
  return value
}

function needed (given: VerifyPresentation | undefined, name: Name): string {
  const value = text(given, name)
  if (value === undefined) throw new TypeError(`verify() needs ${name} beside proof: { proof, method, url }, those of the request that the proof was made for`)
  return value
}
