import type { FastifyRequest } from 'fastify'
import type { Routes } from '../access/route-registry.js'
import type { Authority } from '../realm/authority.js'
import { bearerContext, type ChallengeContext } from './challenge.js'
import type { ProofOfPossession } from './proof-of-possession.js'
import { protectionSpaceOf } from './several-issuers.js'

/** @returns the challenges of all requests, or a function that finds those of a request */
export function challengesBy ({ only }: Pick<Authority, 'only'>, routes: Pick<Routes, 'of'>, possession: ProofOfPossession | undefined): ChallengeContext | ((request: FastifyRequest) => ChallengeContext) {
  const realmOf = only === undefined ? protectionSpaceOf : () => only.protectionSpace
  if (possession !== undefined) return (request) => possession.challengesOf(request, realmOf(request), routes.of(request))
  return only === undefined ? (request) => bearerContext(protectionSpaceOf(request)) : bearerContext(only.protectionSpace)
}
