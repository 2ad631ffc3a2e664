import type { FastifyInstance, FastifyRequest } from 'fastify'
import { expectAssignable, expectError, expectType } from 'tsd'
import { type Dispatcher, request as undiciRequest } from 'undici'
import type { OutboundHealth } from '../index.js'

declare const app: FastifyInstance
declare const request: FastifyRequest

expectType<Promise<string>>(app.keycloak.serviceToken())
expectType<Promise<string>>(app.keycloak.serviceToken({ scope: 'orders', issuer: 'acme' }))
expectError(app.keycloak.serviceToken({ scopes: 'orders' }))

expectType<Promise<string>>(app.keycloak.exchange(request, { audience: 'orders', scope: 'read' }))
expectError(app.keycloak.exchange(request, {}))
expectError(app.keycloak.exchange({ audience: 'orders' }))

const dispatcher = app.keycloak.dispatcher({ to: ['https://orders.example.com'], as: 'service' })
expectAssignable<Dispatcher>(dispatcher)
expectType<Promise<Response>>(fetch('https://orders.example.com', { dispatcher }))
expectType<Promise<Dispatcher.ResponseData>>(undiciRequest('https://orders.example.com', { dispatcher }))
app.keycloak.dispatcher({ to: ['https://orders.example.com'], as: 'exchange', request, audience: 'orders' })
app.keycloak.dispatcher({ to: ['https://orders.example.com'], as: 'caller', request })
expectError(app.keycloak.dispatcher({ to: ['https://orders.example.com'], as: 'exchange', audience: 'orders' }))
expectError(app.keycloak.dispatcher({ to: ['https://orders.example.com'], as: 'caller', request, audience: 'orders' }))
expectError(app.keycloak.dispatcher({ to: 'https://orders.example.com', as: 'service' }))

expectType<OutboundHealth | null>(app.keycloak.health().outbound)
