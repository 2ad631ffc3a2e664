// From the events of fastify-keycloak-bearer to labels with few values: never a user, a path or a token.
import { type ChannelListener, subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import type { AuthenticationEvent, AuthorizationEvent, KeysEvent, UpstreamEvent } from 'fastify-keycloak-bearer'

export type Labels = Record<string, string>

export interface Observer {
  onAuthentication: (labels: Labels) => void
  onAuthorization: (labels: Labels) => void
  /** A call to Keycloak. */
  onUpstream: (labels: Labels, seconds: number) => void
  /** A fetch of the key set. */
  onKeys: (labels: Labels, seconds: number) => void
}

/** @returns a function that ends the observation */
export function observe (observer: Observer): () => void {
  const onAuthentication: ChannelListener = (message) => {
    const { outcome, code, reason, issuer, cached } = message as AuthenticationEvent
    observer.onAuthentication({ outcome, code: code ?? '', reason: reason ?? '', issuer: issuer ?? '', cached: String(cached) })
  }
  const onAuthorization: ChannelListener = (message) => {
    const { outcome, source, code, reason, issuer, route } = message as AuthorizationEvent
    // The questions of handlers are no answers to clients.
    if (source === 'route') observer.onAuthorization({ outcome, code: code ?? '', reason: reason ?? '', issuer, http_request_method: route?.method ?? '', http_route: route?.url ?? '' })
  }
  subscribe('fastify-keycloak-bearer:authentication', onAuthentication)
  subscribe('fastify-keycloak-bearer:authorization', onAuthorization)
  const ends = [
    timed<UpstreamEvent>('fastify-keycloak-bearer:upstream', ({ endpoint, issuer, statusCode, error }, seconds) => {
      observer.onUpstream({ endpoint, issuer, http_response_status_code: String(statusCode ?? ''), error_type: error?.reasonCode ?? '' }, seconds)
    }),
    timed<KeysEvent>('fastify-keycloak-bearer:keys', ({ issuer, error }, seconds) => observer.onKeys({ issuer, error_type: error?.reasonCode ?? '' }, seconds))
  ]
  return () => {
    unsubscribe('fastify-keycloak-bearer:authentication', onAuthentication)
    unsubscribe('fastify-keycloak-bearer:authorization', onAuthorization)
    for (const end of ends) end()
  }
}

function timed<Context extends object> (name: string, onEnd: (context: Context, seconds: number) => void): () => void {
  const channel = tracingChannel(name)
  const starts = new WeakMap<object, number>()
  const start: ChannelListener = (context) => { starts.set(context as object, performance.now()) }
  const end: ChannelListener = (context) => {
    const began = starts.get(context as object)
    if (began !== undefined) onEnd(context as Context, (performance.now() - began) / 1000)
  }
  channel.start.subscribe(start)
  channel.asyncEnd.subscribe(end)
  return () => {
    channel.start.unsubscribe(start)
    channel.asyncEnd.unsubscribe(end)
  }
}
