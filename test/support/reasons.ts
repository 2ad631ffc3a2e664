import type { FastifyInstance } from 'fastify'
import type { KeycloakError } from '../../index.js'
import type { Entry } from '../../lib/reasons/entry.js'

/** The row of a reason in docs/troubleshooting.md: `…` stands for a value. */
export function rowOf (code: string, { sentence, advice, causes }: Entry): string {
  const text = causes === undefined ? plain(sentence) : causes.map((cause) => `\`${cause}\``).join(', ')
  return `| \`${code}\` | ${text} | ${plain(advice)} |`
}

function plain (text: string): string {
  return text.replace(/(: |, or |\. )?\{advice\}/, '').replace(/\[([^\]]*)\]/g, '$1').replace('{verdict}', 'is not among').replace(/\{\w+\}/g, '…')
}

/** The code of the reason for which a token is refused; `accepted` if it is not. */
export async function reasonOf (app: FastifyInstance, token: string): Promise<string> {
  return app.keycloak.verify(token).then(() => 'accepted', ({ reasonCode }: KeycloakError) => reasonCode)
}
