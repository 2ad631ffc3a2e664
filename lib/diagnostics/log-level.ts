import type { FastifyBaseLogger } from 'fastify'

/**
 * Does a line at `debug` go anywhere? To make the sentence of a refusal can cost more than the refusal of a flood of bad
 * tokens may. Pino tells; Fastify without a logger has functions named `noop`. Of any other logger a line is assumed to be read.
 */
export function writesDebug (log: FastifyBaseLogger): boolean {
  const { isLevelEnabled } = log as { isLevelEnabled?: (level: string) => boolean }
  return isLevelEnabled === undefined ? log.debug.name !== 'noop' : isLevelEnabled.call(log, 'debug')
}
