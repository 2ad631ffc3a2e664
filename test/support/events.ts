import { type ChannelListener, subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import type { Test } from 'tap'
import type { AuthenticationEvent, AuthorizationEvent, KeycloakChannels, KeycloakTracingChannels } from '../../types/events.js'

/** The events of a channel from now to the end of the test. */
export function eventsOn<Name extends keyof KeycloakChannels> (t: Test, name: Name): Array<KeycloakChannels[Name]> {
  const events: Array<KeycloakChannels[Name]> = []
  const listener: ChannelListener = (event) => { events.push(event as KeycloakChannels[Name]) }
  subscribe(name, listener)
  t.teardown(() => unsubscribe(name, listener))
  return events
}

/** The decisions from now to the end of the test. */
export function decisions (t: Test): { authentication: AuthenticationEvent[], authorization: AuthorizationEvent[] } {
  return { authentication: eventsOn(t, 'fastify-keycloak-bearer:authentication'), authorization: eventsOn(t, 'fastify-keycloak-bearer:authorization') }
}

/** The events of a tracing channel from now to the end of the test: the name of each, and its context as it was then. */
export function tracesOn<Name extends keyof KeycloakTracingChannels> (t: Test, name: Name): Array<[string, KeycloakTracingChannels[Name]]> {
  const events: Array<[string, KeycloakTracingChannels[Name]]> = []
  const channel = tracingChannel<unknown, KeycloakTracingChannels[Name]>(name)
  for (const each of ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const) {
    const listener: ChannelListener = (context) => { events.push([each, { ...context as KeycloakTracingChannels[Name] }]) }
    channel[each].subscribe(listener)
    t.teardown(() => { channel[each].unsubscribe(listener) })
  }
  return events
}
