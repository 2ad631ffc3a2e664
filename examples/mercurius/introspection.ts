import { KeycloakError } from 'fastify-keycloak-bearer'
import { BREAK, type DocumentNode, visit } from 'graphql'
import { mercurius, type MercuriusContext, type MercuriusOptions } from 'mercurius'

/** A hook of mercurius, `preExecution`: the schema is for callers with a token. Resolvers cannot guard `__schema` and `__type`. */
export async function guardIntrospection (_schema: unknown, document: DocumentNode, { request }: MercuriusContext): Promise<void> {
  if (request.user === null && asksForSchema(document)) throw new KeycloakError('not_authenticated', 'introspection needs a token')
}

/**
 * The `errorFormatter` of mercurius: the errors of GraphQL itself are one message for callers without a token, because they name fields,
 * types and arguments: `Did you mean "takings"?` They have a location and no path. Errors of resolvers have a path.
 */
export const hideSchema: NonNullable<MercuriusOptions['errorFormatter']> = (execution, context) => {
  const { statusCode, response } = mercurius.defaultErrorFormatter(execution, context)
  if (context.request.user !== null) return { statusCode, response }
  const errors = response.errors?.map((error) => error.locations !== undefined && error.path === undefined && error.extensions === undefined
    ? { message: 'The query is not valid. Callers with a token are told why.', locations: error.locations }
    : error)
  return { statusCode, response: { ...response, errors } }
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
