// A thief who has copied the token out of this page, of a log or of a proxy: what it is worth, by kinds of tokens.
import { answerOf, call } from './api.js'
import { createKey } from './key.js'

const LOOT = '/me'

/** What the thief sends, the answer that the kind of token lets one expect, and the reason. */
const ATTEMPTS = [
  {
    sends: 'The plain token',
    isBound: false,
    attempt: ({ token }) => call(LOOT, token),
    expected: '200',
    reason: 'The thief is in: a plain token is good for whoever has it.'
  },
  {
    sends: 'The bound token, as Bearer',
    isBound: true,
    attempt: ({ token }) => call(LOOT, token),
    expected: '401 token_not_valid',
    reason: 'A bound token is worth nothing without a proof.'
  },
  {
    sends: 'The bound token, with a proof by the thief’s key',
    isBound: true,
    attempt: async ({ token }) => call(LOOT, token, await createKey()),
    expected: '401 token_not_valid',
    reason: 'The token names the key of its owner, and this is another.'
  },
  {
    sends: 'The bound token, with a recorded proof of its owner',
    isBound: true,
    attempt: ({ token, recorded }) => fetch(LOOT, { headers: { authorization: `DPoP ${token}`, dpop: recorded } }),
    expected: '401 dpop_proof_not_valid',
    reason: 'Each proof is good once, and its owner was faster.'
  }
]

/**
 * Tries each attempt that the token allows, one after the other. The others have no answer.
 * Throws a sentence if the token is worth nothing to its owner either.
 */
export async function steal (token, key) {
  const recorded = await useAsOwner(token, key)
  const tried = []
  for (const { sends, isBound, attempt, expected, reason } of ATTEMPTS) {
    const answer = isBound === (key !== null) ? await answerOf(attempt({ token, recorded })) : null
    const isExpected = answer !== null && `${answer.status} ${answer.code}`.trim() === expected
    tried.push({ sends, isBound, answer, reason: isExpected ? reason : answer?.body })
  }
  return tried
}

/** The owner's own request. The thief listens, and so has its proof. */
async function useAsOwner (token, key) {
  let recorded
  const { status, code } = await answerOf(key === null
    ? call(LOOT, token)
    : key.get(LOOT, token).then(({ response, sent }) => {
      recorded = sent
      return response
    }))
  if (status !== 200) throw new Error(`the token is worth nothing to its owner either (${status} ${code})`)
  return recorded
}
