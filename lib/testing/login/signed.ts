import { decode, type Claims } from '../jws.js'
import type { KeyRing } from '../keys.js'

/** The claims of a token, expired or not, that this realm signed with this `typ` in the payload; else `null`. */
export function signedAs (typ: string, token: string, keys: KeyRing): Claims | null {
  const jws = decode(token)
  const key = jws && keys.find(jws.header.kid, jws.header.alg)
  return key && jws.payload.typ === typ && jws.isSignedBy(key.alg, key.privateKey) ? jws.payload : null
}
