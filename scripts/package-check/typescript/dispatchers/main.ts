// Dispatchers of undici 7 and of undici 8 are options, though their types do not fit each other.
import Fastify from 'fastify'
import keycloak, { type UndiciDispatcher } from 'fastify-keycloak-bearer'
import * as seven from 'undici-7'
import * as eight from 'undici-8'

const app = Fastify()
const over = (dispatcher: UndiciDispatcher) => app.register(keycloak, { issuer: 'https://sso.example.com/realms/acme', dispatcher })

over(new seven.Agent({ connections: 4 }))
over(new seven.ProxyAgent('http://127.0.0.1'))
over(new seven.RetryAgent(new seven.Agent()))
over(new seven.MockAgent())
over(new seven.Pool('http://127.0.0.1').compose(seven.interceptors.dns()))
over(new eight.Agent({ connections: 4 }))
over(new eight.ProxyAgent('http://127.0.0.1'))
over(new eight.EnvHttpProxyAgent())
over(new eight.RetryAgent(new eight.Agent()))
over(new eight.MockAgent())
over(new eight.Pool('http://127.0.0.1').compose(eight.interceptors.dns()))
declare const either: seven.Dispatcher | eight.Dispatcher
over(either)

// @ts-expect-error the URL of a proxy is no dispatcher
over('http://127.0.0.1')
// @ts-expect-error an agent of node:http is none either
over(new (await import('node:http')).Agent())
