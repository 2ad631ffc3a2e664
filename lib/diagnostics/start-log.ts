import type { FastifyBaseLogger } from 'fastify'
import type { KeycloakReasonCode } from '../reasons/reason.js'
import type { StartCheckCode, StartWarning } from '../../types/options.js'

/** The members of a line of the start, for alerts. */
interface Members {
  /** Of a finding of the check at start. */
  check?: StartCheckCode | 'ok'
  /** Of a warning about the options or the routes. */
  code?: StartWarning
  reason?: string
  reasonCode?: KeycloakReasonCode
  /** The pattern of the route of a refused request. */
  route?: string
}

/** The log of the start, for operators. */
export interface StartLog {
  warn: (members: Members, sentence: string) => void
  info: (members: Members, sentence: string) => void
  debug: (members: Members, sentence: string) => void
}

/** The name of the warnings, by which `process.on('warning')` tells them from others. */
const TYPE = 'FastifyKeycloakBearerWarning'

/**
 * The application's log. Where it has none, which is Fastify's default, warnings go to `process.emitWarning`, since
 * nobody would hear of them otherwise.
 */
export function startLog (log: FastifyBaseLogger): StartLog {
  return hasNoLogger(log) ? { warn: emitWarning, info: ignore, debug: ignore } : log
}

/**
 * Fastify's stand-in for a logger has one function for all levels, which does nothing. So has pino below the level
 * `silent`, but that one has a level: whoever chose it wants to hear nothing.
 */
export function hasNoLogger ({ level, fatal, error, warn, info, debug, trace }: FastifyBaseLogger): boolean {
  return level === undefined && [error, warn, info, debug, trace].every((each) => each === fatal)
}

function emitWarning ({ check, code, reasonCode }: Members, sentence: string): void {
  process.emitWarning(sentence, { type: TYPE, code: code ?? check ?? reasonCode })
}

function ignore (): void {}
