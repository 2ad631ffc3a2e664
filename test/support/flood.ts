import type { FastifyInstance } from 'fastify'
import { type Answer, backchannel, push } from './logout.js'

/** A call that nobody signed, of about so many bytes. */
export function junk (kid: string, bytes = 300): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${encode({ alg: 'RS256', typ: 'JWT', kid })}.${encode({ ids: 'x'.repeat(bytes * 0.75 - 100) })}.${'A'.repeat(342)}`
}

/** So many at once, on two routes. */
export function flood (app: FastifyInstance, count: number, kid: (at: number) => string, bytes?: number): Array<Promise<Answer>> {
  return Array.from({ length: count }, (_, at) => at % 2 === 0
    ? backchannel(app, junk(kid(at), bytes))
    : push(app, junk(kid(at), bytes), 'k_logout'))
}

/** How many of the answers say that. */
export function told (answers: readonly Answer[], description: string): number {
  return answers.filter(({ body }) => body?.error_description === description).length
}
