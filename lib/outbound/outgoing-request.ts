import type { Dispatcher } from 'undici'

export type DispatchOptions = Dispatcher.DispatchOptions

/** Bytes of a body that is read from a stream so that it can be sent again: `fetch` makes a stream of each body. */
const MAX_BODY = 64 * 1024

type Header = readonly [name: string, value: unknown]

/** The headers of a request, in whichever form of undici they are. */
function headersOf ({ headers }: DispatchOptions): Header[] {
  const given: unknown = headers ?? []
  if (Array.isArray(given)) return Array.from({ length: given.length / 2 }, (_, at) => [String(given[2 * at]), given[2 * at + 1]] as const)
  return Symbol.iterator in (given as object) ? [...given as Iterable<Header>] : Object.entries(given as object)
}

function valueOf (options: DispatchOptions, wanted: string): unknown {
  return headersOf(options).find(([name]) => name.toLowerCase() === wanted)?.[1]
}

/** Has the application set an Authorization header itself? */
export function isAuthorized (options: DispatchOptions): boolean {
  return valueOf(options, 'authorization') !== undefined
}

/** The request with a token (RFC 6750 section 2.1). */
export function withToken (options: DispatchOptions, token: string): DispatchOptions {
  return { ...options, headers: [...headersOf(options).flat(), 'authorization', `Bearer ${token}`] as string[] }
}

/** The request with a body that can be sent again, if its stream is known to be short. */
export async function repeatable (options: DispatchOptions): Promise<DispatchOptions> {
  const { body } = options as { body?: unknown }
  const length = Number(valueOf(options, 'content-length') ?? NaN)
  if (isRepeatable(options) || !isStream(body) || !(length <= MAX_BODY)) return options
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    chunks.push(Buffer.from(chunk))
    size += chunk.length
    // The stream is not what the header says: no more of it is taken into memory.
    if (size > length) break
  }
  if (size !== length) throw new Error('the body of the request has another length than its Content-Length header says')
  return { ...options, body: Buffer.concat(chunks) }
}

/** Can the body be sent again? A stream cannot. */
export function isRepeatable ({ body }: DispatchOptions): boolean {
  return body == null || typeof body === 'string' || ArrayBuffer.isView(body)
}

function isStream (body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}
