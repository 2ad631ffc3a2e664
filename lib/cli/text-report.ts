import { wallMilliseconds } from '../util/clock.js'
import type { Check, Status } from './check.js'
import type { Report } from './report.js'
import type { TokenReport } from './token-explanation.js'

/** The word for a status, and its colour by SGR (ECMA-48 section 8.3.117). */
const WORDS: Readonly<Record<Status, readonly [word: string, colour: number]>> = {
  passed: ['ok', 32], failed: ['FAIL', 31], warning: ['warn', 33], skipped: ['-', 2]
}

const WORD = 6
const NAME = 15

/** The report for people. */
export function textOf ({ checks, token, ok }: Report, hasColours: boolean): string {
  const parts = [
    ...[...new Set(checks.flatMap(({ issuer }) => issuer ?? []))].map((each) => section(`Keycloak, realm ${each}`, checks.filter(({ issuer }) => issuer === each), hasColours)),
    section('The API', checks.filter(({ subject }) => subject === 'api'), hasColours),
    section(token === null ? 'No token' : aboutToken(token), checks.filter(({ subject }) => subject === 'token'), hasColours)
  ]
  const count = checks.filter(({ status }) => status === 'failed').length
  const warnings = checks.filter(({ status }) => status === 'warning').length
  const verdict = `${ok ? (token === null ? 'All is well with Keycloak and the options, no token was checked' : 'All is well') : `${count} ${count === 1 ? 'finding' : 'findings'}`}${warnings === 0 ? '' : `, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`}.`
  return `${parts.filter((part) => part !== '').join('\n')}${token === null ? '' : answerTo(token)}\n${verdict}\n`
}

function section (title: string, checks: readonly Check[], hasColours: boolean): string {
  if (checks.length === 0) return ''
  return `${title}\n${checks.map((each) => lineOf(each, hasColours)).join('')}`
}

function lineOf ({ status, check, code, message }: Check, hasColours: boolean): string {
  const [word, colour] = WORDS[status]
  const padded = word.padEnd(WORD)
  const text = [check.padEnd(NAME), message, code === undefined ? undefined : `[${code}]`].filter((each) => each !== undefined).join(' ')
  return `  ${hasColours ? `\u001b[${colour}m${padded}\u001b[0m` : padded}${text.trimEnd()}\n`
}

function aboutToken ({ source, signed, facts }: TokenReport): string {
  const from = `The token of ${source}, ${signed ? 'which the realm signed' : 'whose signature is not proven'}`
  if (facts === null) return from
  const { alg, typ, iss, azp, aud, acr, issuedAt, expiresAt, loginAt, bound } = facts
  const said = [
    `alg ${quoted(alg)}`, `typ ${quoted(typ)}`, `iss ${quoted(iss)}`, `azp ${quoted(azp)}`, `aud ${aud === null ? '-' : `[${aud.map(quoted).join(', ')}]`}`,
    `issued ${ago(issuedAt)}`, `expires ${ago(expiresAt)}`, `acr ${quoted(acr)}`, `login ${ago(loginAt)}`, ...bound.map((each) => `bound by ${each}`)
  ]
  return `${from}\n  ${said.join(', ')}`
}

function quoted (text: string | null): string {
  return text === null ? '-' : JSON.stringify(text)
}

/** A date as a distance from now. */
function ago (date: string | null): string {
  if (date === null) return '-'
  const seconds = Math.round((Date.parse(date) - wallMilliseconds()) / 1000)
  return seconds > 0 ? `in ${seconds} s` : `${-seconds} s ago`
}

function answerTo ({ answer: { statusCode, code } }: TokenReport): string {
  return `\nThe API answers ${code === undefined ? 'with what the route returns: the token passes' : `${statusCode} ${code}`}.\n`
}
