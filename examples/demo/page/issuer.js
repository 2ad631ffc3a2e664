// Calls to the issuer. A browser tells a script little of a failure, and shows a page of its own when the issuer is away:
// so the page asks first, waits for a few seconds only, and says why it did not work.

/** Milliseconds that the issuer may take to answer. */
const PATIENCE = 5000

/** Milliseconds that a look at the issuer holds, for one visit. */
const FRESH = 1000

const NONE = { at: -Infinity }

const SLOW = `The issuer did not answer within ${PATIENCE / 1000} seconds`

/** @param {{ issuer: string }} settings */
export function createIssuer ({ issuer }) {
  const endpoint = (name) => `${issuer}/protocol/openid-connect/${name}`
  let look = NONE

  /** POSTs a form, with a proof if there is a key, and answers the JSON. Throws a sentence. */
  async function post (name, form, key = null) {
    const headers = key === null ? {} : { dpop: await key.proof('POST', endpoint(name)) }
    const response = await reach(endpoint(name), { method: 'POST', body: new URLSearchParams(form), headers })
    const answer = await jsonOf(response)
    if (response.ok && answer !== undefined) return answer
    // What it says of a request of ours tells more than its status; what it says of itself does not.
    const refusal = response.status < 500 ? answer?.error_description ?? answer?.error : undefined
    throw new Error(refusal ?? `The issuer answered with an error (${response.status})`)
  }

  /** Looks whether the issuer is there. Begun when a pointer comes near a button, it costs who presses it no time. */
  function lookAhead () {
    if (performance.now() - look.at < FRESH) return look.answer
    // Keycloak lets each page read this document, whatever the web origins of the client are.
    look = { at: performance.now(), answer: reach(`${issuer}/.well-known/openid-configuration`) }
    look.answer.catch(() => {})
    return look.answer
  }

  /** Leaves for a page of the issuer, if it answers. Throws a sentence when it does not. */
  async function visit (name, parameters) {
    const answer = lookAhead()
    look = NONE
    const response = await answer
    if (!response.ok) throw new Error(`The issuer answered with an error (${response.status})`)
    window.location.assign(`${endpoint(name)}?${new URLSearchParams(parameters)}`)
    await left()
  }

  return { post, visit, lookAhead }
}

/** The answer, whatever its status. Throws a sentence when there is none. */
async function reach (url, init = {}) {
  try {
    return await fetch(url, { ...init, cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) })
  } catch (error) {
    if (error.name === 'TimeoutError') throw new Error(SLOW)
    throw new Error(await isThere(url)
      ? 'The issuer answered with an error, or without this page among its web origins'
      : 'The issuer cannot be reached: it is down, or the network is')
  }
}

/** Does anybody answer? To ask that, no script needs to be allowed to read the answer. */
async function isThere (url) {
  try {
    await fetch(url, { mode: 'no-cors', cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) })
    return true
  } catch {
    return false
  }
}

/** The JSON of an answer; an empty one is an empty object, and what is no JSON undefined. */
async function jsonOf (response) {
  try {
    const text = await response.text()
    return text === '' ? {} : JSON.parse(text)
  } catch (error) {
    if (error.name === 'TimeoutError') throw new Error(SLOW)
    return undefined
  }
}

/** Resolves when the browser has left this page. When that takes too long it stays, and this throws a sentence. */
function left () {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      window.stop()
      reject(new Error(SLOW))
    }, PATIENCE)
    window.addEventListener('pagehide', () => {
      clearTimeout(timer)
      resolve()
    }, { once: true })
  })
}
