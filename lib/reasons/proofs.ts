import type { Entries } from './entry.js'

const CLIENT = 'look at the client that makes the proofs'
const STORE = 'look at the replay store: it must answer true or false within 2 seconds'

/** The reasons about tokens that are bound to a key, and about the proofs of that key. */
export const PROOFS = {
  sender_constraint_missing: { sentence: 'the token is not bound to a key, which the route or the option required demands: {advice}', advice: 'let the client request it with DPoP or with its certificate' },
  dpop_token_unbound: { sentence: 'the scheme is DPoP, and the token is not bound to a key of proofs: {advice}', advice: 'send the token as Bearer, or request it with a DPoP proof' },
  dpop_token_as_bearer: { sentence: 'the token is bound to a key of DPoP proofs, and the scheme is Bearer: {advice}', advice: 'send "Authorization: DPoP" with a proof; if its client does, somebody else has the token' },
  dpop_key_other: { sentence: 'the proof is by another key than the token is bound to', advice: 'sign with the key of the token request; if the client does, somebody else has the token' },
  certificate_missing: { sentence: 'the token is bound to a certificate, and the client has proven none: {advice}', advice: 'call with the certificate of the token request; the server must ask for it (requestCert), or the proxy hand it on by mtls.header' },
  certificate_unreadable: { sentence: 'the token is bound to a certificate, and the header of the proxy has none that can be read: {advice}', advice: 'let the proxy write one certificate in the form of mtls.header, whole, and delete the header that its client sent' },
  certificate_other: { sentence: 'the token is bound to another certificate than that of the client', advice: 'call with the certificate of the token request; if the client does, somebody else has the token' },

  proof_missing: { sentence: 'no DPoP header', advice: 'send a proof for each request; look for a proxy that strips the header' },
  proof_repeated: { sentence: 'more than one DPoP header', advice: 'send one' },
  proof_too_long: { sentence: 'the proof has more than 8192 characters', advice: CLIENT },
  proof_malformed: { sentence: 'the proof is not a compact JWS of canonical base64url', advice: CLIENT },
  proof_typ: { sentence: 'header "typ" of the proof is not dpop+jwt', advice: CLIENT },
  proof_crit: { sentence: 'header "crit" of the proof is not allowed, because no extension is supported', advice: CLIENT },
  proof_alg: { sentence: 'the algorithm of the proof is not allowed', advice: 'use one that the challenge names (algs), or add it to dpop.algorithms' },
  proof_jwk: { sentence: 'header "jwk" of the proof is not a public key for its algorithm', advice: CLIENT },
  proof_jti: { sentence: 'jti of the proof is not a text of 1 to 128 characters', advice: CLIENT },
  proof_claims: { sentence: 'htm, htu, iat or ath of the proof is missing or of another type', advice: CLIENT },
  proof_htm: { sentence: 'htm of the proof is another method than that of the request', advice: CLIENT },
  proof_htu: { sentence: 'htu of the proof is another URL than that of the request: {advice}', advice: 'behind a proxy, set dpop.url to the URL that clients see, or trustProxy of Fastify' },
  proof_old: { sentence: 'iat of the proof is too long ago: {advice}', advice: 'make a proof for each request; set the clocks of client and API by NTP, or raise dpop.maxAge' },
  proof_early: { sentence: 'iat of the proof is in the future: {advice}', advice: 'set the clocks of client and API by NTP, or raise dpop.leeway' },
  proof_ath: { sentence: 'ath of the proof is not the hash of the token', advice: 'make a new proof after each refresh of the token' },
  proof_nonce_missing: { sentence: 'the proof has no nonce', advice: 'repeat the request with the nonce of the header DPoP-Nonce' },
  proof_nonce_old: { sentence: 'the nonce of the proof is none of now', advice: 'repeat the request with the nonce of the header DPoP-Nonce; several instances need one dpop.nonce.secret' },
  proof_signature: { sentence: 'the signature of the proof does not verify', advice: CLIENT },
  proof_replayed: { sentence: 'the proof was used before', advice: 'make a proof for each request, retries too; if the client does, somebody has recorded the request' },

  replay_store_full: { sentence: 'the memory of used proofs is full: {advice}', advice: 'raise dpop.replay.max, or lower dpop.maxAge' },
  replay_store_failed: { sentence: 'the replay store failed, or did not answer in time: {advice}', advice: STORE },
  replay_store_busy: { sentence: 'too many requests wait for the replay store: {advice}', advice: STORE }
} as const satisfies Entries
