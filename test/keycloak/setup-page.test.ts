// The page "Set up Keycloak" names the console, the script and their settings as they are.
import t from 'tap'
import { base, call, json, serverInfo } from './helpers.js'
import { read } from './setup.js'
import { does } from './versions.js'

const page = read('docs/setup-keycloak.md').replace(/```[^]*?```/g, '')
const script = read('examples/setup-keycloak/setup-keycloak.mjs')

/** The names on the page that are a reader's own. */
const OWN_NAMES = ['api', 'web', 'web-dedicated', 'worker', 'alice', 'reports:read', '(the group)']

/** Names of the page that older consoles do not have. */
const LATER = { 'Require PKCE': 'consoleSaysRequirePkce', 'Service account roles': 'consoleSaysServiceAccountRoles' } as const

const { mappers } = await serverInfo()

t.test('each name of the administration console', async (t) => {
  const messages: Array<{ value: string }> = await json(await call(`${base}/resources/master/admin/en`))
  const known = new Set([...OWN_NAMES, ...messages.map(({ value }) => value), ...mappers])
  const named = [...page.replaceAll('**', '').matchAll(/(?<![`*])\*([^*`]+)\*/g)].flatMap(([, path]) => path!.replace(/\s+/g, ' ').split(' → '))
  t.ok(named.length > 50)
  const unknown = new Set(named.filter((name) => !known.has(name)))
  t.same([...unknown].sort(), Object.entries(LATER).flatMap(([name, since]) => does(since) ? [] : [name]))
})

t.test('each function and variable of the script', async (t) => {
  const functions = [...page.matchAll(/In\s+the\s+script:\s+`(\w+)`(?:\s+and\s+`(\w+)`)?/g)].flatMap(([, ...names]) => names.filter(Boolean))
  t.ok(functions.length > 5)
  for (const name of functions) t.ok(script.includes(`async function ${name} (`), name)
  const variables = [...script.matchAll(/^\/\/ {3}([A-Z_]+) {2}/gm)].map(([, name]) => name!)
  t.ok(variables.length > 5)
  for (const name of variables) t.ok(page.includes(`\`${name}\``), name)
})
