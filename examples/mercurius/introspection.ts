import { KeycloakError } from 'fastify-keycloak-bearer'
import { BREAK, type DocumentNode, visit } from 'graphql'
import type { MercuriusContext } from 'mercurius'

/** A hook of mercurius, `preExecution`: the schema is for callers with a token. Resolvers cannot guard `__schema` and `__type`. */
export async function guardIntrospection (_schema: unknown, document: DocumentNode, { request }: MercuriusContext): Promise<void> {
  if (request.user === null && asksForSchema(document)) throw new KeycloakError('not_authenticated', 'introspection needs a token')
}

function asksForSchema (document: DocumentNode): boolean {
  let asks = false
  visit(document, {
    Field ({ name }) {
      if (name.value !== '__schema' && name.value !== '__type') return undefined
      asks = true
      return BREAK
    }
  })
  return asks
}
