import { MAX_SOUND, soundOf } from '../util/spelling.js'
import { isObject, member } from '../util/strict-json.js'

const CALL = 'tools/call'

/** The methods of HTTP whose requests bring no message (MCP, Streamable HTTP). */
const WITHOUT_MESSAGE = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS'])

/**
 * The names of the tools that a request calls, in a message or a batch of messages (JSON-RPC 2.0).
 * @param body the parsed body
 * @returns `undefined` if the body is none that everybody would read alike: a tool could be called by it unnoticed
 */
export function toolsCalled (method: string, body: unknown): ReadonlySet<string> | undefined {
  if (body === undefined || body === null) return WITHOUT_MESSAGE.has(method) ? new Set() : undefined
  const messages: unknown[] = Array.isArray(body) ? body : [body]
  if (messages.length === 0) return undefined
  const names = new Set<string>()
  for (const message of messages) {
    const name = toolCalled(message)
    if (name === undefined) return undefined
    if (name !== null) names.add(name)
  }
  return names
}

/** The name of the tool that a message calls; `null` if it calls none, `undefined` if it cannot be told. */
function toolCalled (message: unknown): string | null | undefined {
  if (!isPlain(message)) return undefined
  const method = member(message, 'method')
  // A response to a request of the server has no method.
  if (method === undefined) return Object.hasOwn(message, 'result') || Object.hasOwn(message, 'error') ? null : undefined
  if (!isName(method)) return undefined
  if (method !== CALL) return soundOf(method) === CALL ? undefined : null
  const params = member(message, 'params')
  const name = isPlain(params) ? member(params, 'name') : undefined
  return isName(name) ? name : undefined
}

/** Is it a name whose likeness to others can be told in time? */
function isName (value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_SOUND
}

/**
 * Is it an object of JSON, whose copies have the same members? Bytes and streams are none, and JSON can name a member `__proto__`,
 * by which a copy would inherit others.
 */
function isPlain (value: unknown): value is Record<string, unknown> {
  return isObject(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value)) && !Object.hasOwn(value, '__proto__')
}
