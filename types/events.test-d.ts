// The payloads of the channels, by their names.
import { expectAssignable, expectError, expectNotAssignable, expectType } from 'tsd'
import type {
  AuthenticationEvent, AuthorizationEvent, EventActor, EventRoute, KeycloakChannels, KeycloakError, KeycloakErrorCode, KeycloakReasonCode,
  KeycloakTracingChannels, KeysEvent, UpstreamEvent
} from '../index.js'

expectType<'fastify-keycloak-bearer:authentication' | 'fastify-keycloak-bearer:authorization'>({} as keyof KeycloakChannels)
expectType<'fastify-keycloak-bearer:keys' | 'fastify-keycloak-bearer:upstream'>({} as keyof KeycloakTracingChannels)

const authentication = {} as KeycloakChannels['fastify-keycloak-bearer:authentication']
expectType<AuthenticationEvent>(authentication)
expectType<'accepted' | 'anonymous' | 'refused' | 'unavailable' | 'failed' | 'aborted'>(authentication.outcome)
expectType<KeycloakErrorCode | null>(authentication.code)
expectType<KeycloakReasonCode | null>(authentication.reason)
expectType<'request' | 'verify'>(authentication.source)
expectType<string | null>(authentication.issuer)
expectType<'Bearer' | 'DPoP' | null>(authentication.scheme)
expectType<boolean>(authentication.cached)
expectType<EventRoute | null>(authentication.route)
// An event is for all subscribers, so none of them may change it.
expectError(() => { authentication.outcome = 'accepted' })
// No event has a token.
expectError(authentication.token)

const authorization = {} as KeycloakChannels['fastify-keycloak-bearer:authorization']
expectType<AuthorizationEvent>(authorization)
expectType<'allowed' | 'denied' | 'unavailable' | 'failed' | 'aborted'>(authorization.outcome)
expectType<'route' | 'hasPermission' | 'isAllowed' | 'hasAuthentication' | 'thrown'>(authorization.source)
expectType<string>(authorization.rule)
expectType<string>(authorization.issuer)
expectType<string | null>(authorization.sub)
expectType<string | null>(authorization.azp)
expectType<EventActor | null>(authorization.act)
expectAssignable<EventActor>({ sub: 'agent', act: { sub: 'another' }, client_id: 'x' })
expectNotAssignable<EventActor>({ sub: 5 })
expectError(authorization.scheme)

const keys = {} as KeycloakTracingChannels['fastify-keycloak-bearer:keys']
expectType<KeysEvent>(keys)
expectType<number | undefined>(keys.count)
expectType<KeycloakError | undefined>(keys.error)

const upstream = {} as KeycloakTracingChannels['fastify-keycloak-bearer:upstream']
expectType<UpstreamEvent>(upstream)
expectType<'GET' | 'POST'>(upstream.method)
expectType<number | undefined>(upstream.statusCode)
expectType<KeycloakError | undefined>(upstream.error)
