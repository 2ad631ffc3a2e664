/** The response of an endpoint, before it is written. */
export interface Reply {
  status: number
  headers: Record<string, string>
  body: string
}

/** A request to an endpoint. */
export interface LoginRequest {
  method: string
  query: URLSearchParams
  /** The fields of a body of application/x-www-form-urlencoded; empty for other bodies. */
  form: URLSearchParams
  /** The JSON of a body of application/json; `undefined` for other bodies, and if it is no JSON. */
  json: unknown
  authorization: string
  origin: string | undefined
  /** The header DPoP. */
  proof: string | undefined
}

/** RFC 6749 section 3.3. */
export const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/

/** An error that the client reads, by a code of RFC 6749 sections 4.1.2.1 and 5.2. */
export class OAuthError extends Error {
  readonly code: string
  readonly status: number

  constructor (code: string, description: string, status = 400) {
    super(description)
    this.code = code
    this.status = status
  }
}

/** An error that is shown on a page, because it must not redirect to a client. */
export class PageError extends Error {}

export function jsonReply (status: number, body: object, headers: Record<string, string> = {}): Reply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) }
}

export function empty (status: number): Reply {
  return { status, headers: {}, body: '' }
}

/** 303: the answer to a POST of a password must never be a redirect that repeats it (RFC 9700 section 4.12). */
export function redirect (location: string): Reply {
  return { status: 303, headers: { location }, body: '' }
}

/** The value of a parameter. An empty value counts as absent (RFC 6749 section 3.1). */
export function parameter (parameters: URLSearchParams, name: string): string | undefined {
  return parameters.get(name) || undefined
}

/** The name of a repeated parameter, which RFC 6749 section 3.1 forbids. */
export function repeated (parameters: URLSearchParams): string | undefined {
  const names = [...parameters.keys()]
  return names.find((name, index) => names.indexOf(name) !== index)
}
