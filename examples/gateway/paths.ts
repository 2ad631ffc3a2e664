import type { FastifyRequest } from 'fastify'

/**
 * Paths that mean the same to every router and server: segments of unreserved characters, none of them empty, `.` or `..`. Without
 * encoded dots, slashes, backslashes, semicolons, percent signs and control characters, and without `;`, which Java servers cut off.
 */
const PLAIN = /^(?:\/(?!\.\.?(?:\/|$))(?:[\w\-.~!$&'()*+,=:@]|%(?!2[5ef]|3b|5c|7f|[01])[\da-f]{2})+)*\/?$/i

/** Refuses a path that the upstream might read as another one than the route whose rule was checked. A hook for onRequest. */
export async function refuseAmbiguousPath ({ raw }: FastifyRequest): Promise<void> {
  const [path] = raw.url!.split('?', 1)
  if (!PLAIN.test(path)) throw Object.assign(new Error('The path is not plain.'), { statusCode: 400, code: 'path_not_plain' })
}
