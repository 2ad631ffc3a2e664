// The names that the blocks of README and docs use without an import: they are global in the blocks, and have these
// values when a block is run.
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import fastifyStatic from '@fastify/static'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import Fastify from 'fastify'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'
import { Redis } from 'ioredis'
import assert from 'node:assert/strict'
import keycloak, { bearerToken, KeycloakError, openapi, redisStore, type KeycloakOptions } from '../../index.js'
import { createTestRealm } from '../../lib/testing/index.js'

export { assert, bearerToken, cors, createTestRealm, Fastify, fastifyStatic, helmet, jsonSchemaTransform, keycloak, KeycloakError, openapi, Redis, redisStore, swagger, swaggerUi }

/** The realm that stands for https://sso.example.com/realms/acme when a block is run. */
export const realm = await createTestRealm({ name: 'acme' })
export const { issuer, clientSecret } = realm.options
/** The realm that stands for https://sso.example.com/realms/globex. */
export const globex = await createTestRealm({ name: 'globex' })
export const options: KeycloakOptions = { issuer, clientId: 'api', audience: 'api' }

/** An API without plugins and routes. */
export const app = Fastify()

/** The handler of a route. */
export const handler = async (): Promise<{ ok: boolean }> => ({ ok: true })

/** Parts of the application: a folder of files, a loader of documents, a database. */
export const root = process.cwd()
export const load = async (owner: string): Promise<{ owner: string }> => ({ owner })
export const pool = {
  async query (_sql: string, values: unknown[]): Promise<{ rows: Array<{ id: string, email: string | null, name: string | null, isActive: boolean }> }> {
    const [id, email, name] = values as [string, string | null, string | null]
    return { rows: [{ id, email, name, isActive: true }] }
  }
}

/** The URL of a Redis. */
export const url = 'redis://127.0.0.1:6379'

/** The answer to a request, for the `run` comment of a block: `200`, or status and code, such as `401 token_expired`. */
export async function answer (app: { inject (request: object): Promise<{ statusCode: number, json (): { code?: string } }> }, path: string, token?: string): Promise<string> {
  const response = await app.inject({ url: path, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
  return response.statusCode < 400 ? String(response.statusCode) : `${response.statusCode} ${response.json().code}`
}
