import { type Channel, channel, type TracingChannel, tracingChannel } from 'node:diagnostics_channel'
import type { KeycloakChannels, KeycloakTracingChannels, KeysEvent, UpstreamEvent } from '../../types/events.js'

/** A channel whose messages have a type. */
interface EventChannel<Event> extends Pick<Channel, 'hasSubscribers'> {
  publish (event: Event): void
}

// The process has one channel of a name, which all copies of the package share.

/** Each decision on the identity of a caller. */
export const authentication = openChannel('fastify-keycloak-bearer:authentication')

/** Each decision on a rule. */
export const authorization = openChannel('fastify-keycloak-bearer:authorization')

/** Each fetch of a key set. */
export const keys = openTracingChannel<KeysEvent>('fastify-keycloak-bearer:keys')

/** Each call to Keycloak. */
export const upstream = openTracingChannel<UpstreamEvent>('fastify-keycloak-bearer:upstream')

function openChannel<Name extends keyof KeycloakChannels> (name: Name): EventChannel<KeycloakChannels[Name]> {
  return channel(name)
}

function openTracingChannel<Context extends object> (name: keyof KeycloakTracingChannels): TracingChannel<unknown, Context> {
  return tracingChannel<unknown, Context>(name)
}
