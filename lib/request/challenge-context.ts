import type { FastifyRequest } from 'fastify'
import { askedScopesOf } from '../access/asked-scopes.js'
import type { Routes } from '../access/route-registry.js'
import type { Authority } from '../realm/authority.js'
import { bearerContext, type ChallengeContext } from './challenge.js'
import type { ProofOfPossession } from './proof-of-possession.js'
import type { ProtectedResource } from './protected-resource.js'
import { protectionSpaceOf } from './several-issuers.js'

/** The challenges of all requests, or a function that finds those of a request. */
type Challenges = ChallengeContext | ((request: FastifyRequest) => ChallengeContext)

export function challengesBy (authority: Pick<Authority, 'only'>, routes: Pick<Routes, 'of'>, possession: ProofOfPossession | undefined, resource: Pick<ProtectedResource, 'challenge'> | undefined): Challenges {
  const plain = plainChallenges(authority, routes, possession)
  if (resource === undefined) return plain
  return (request) => ({
    ...typeof plain === 'function' ? plain(request) : plain,
    ...resource.challenge,
    scope: askedScopesOf(request, routes.of(request)).join(' ')
  })
}

function plainChallenges ({ only }: Pick<Authority, 'only'>, routes: Pick<Routes, 'of'>, possession: ProofOfPossession | undefined): Challenges {
  const realmOf = only === undefined ? protectionSpaceOf : () => only.protectionSpace
  if (possession !== undefined) return (request) => possession.challengesOf(request, realmOf(request), routes.of(request))
  return only === undefined ? (request) => bearerContext(protectionSpaceOf(request)) : bearerContext(only.protectionSpace)
}
