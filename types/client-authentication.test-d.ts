import { createPrivateKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { expectAssignable, expectNotAssignable } from 'tsd'
import type { ClientAssertionKey, ClientCertificate, IssuerOptions, KeycloakOptions } from '../index.js'

const issuer = 'https://sso.example.com/realms/acme'

expectAssignable<KeycloakOptions>({ issuer, clientAssertion: { key: 'pem' } })
expectAssignable<KeycloakOptions>({ issuer, clientAssertion: { key: createPrivateKey('pem'), algorithm: 'PS256', keyId: 'one' } })
expectAssignable<KeycloakOptions>({ issuer, clientAssertion: { key: { kty: 'EC', crv: 'P-256', d: 'd', x: 'x', y: 'y' } } })
expectAssignable<KeycloakOptions>({ issuer, clientAssertion: { key: () => readFile('client.key') } })
expectAssignable<KeycloakOptions>({ issuer, clientAssertion: () => readFile('token', 'utf8') })
expectAssignable<KeycloakOptions>({ issuer, clientCertificate: { cert: 'pem', key: Buffer.from('pem') } })
expectAssignable<KeycloakOptions>({ issuer, clientCertificate: async (): Promise<ClientCertificate> => ({ cert: await readFile('tls.crt'), key: await readFile('tls.key') }) })
expectAssignable<IssuerOptions>({ issuer, clientAssertion: () => 'a.b.c' })
expectAssignable<IssuerOptions>({ issuer, clientCertificate: { cert: 'pem', key: 'pem' } })

expectNotAssignable<KeycloakOptions>({ issuer, clientAssertion: 'pem' })
expectNotAssignable<KeycloakOptions>({ issuer, clientAssertion: () => readFile('token') })
expectNotAssignable<ClientAssertionKey>({ key: 'pem', algorithm: 'HS256' })
expectNotAssignable<ClientAssertionKey>({ key: 4711 })
expectNotAssignable<ClientCertificate>({ cert: 'pem' })
