// The doctor as a process of its own: environment, standard input, exit codes, and no secrets in its output.
import t from 'tap'
import { realmFor } from '../support/app.js'
import { doctorProcess, environmentOf } from '../support/doctor-cli.js'

t.test('all is well: exit code 0, and each check of the token passed', async (t) => {
  const realm = await realmFor(t)
  const env = { ...environmentOf(realm), KEYCLOAK_CLIENT_SECRET: realm.options.clientSecret, NODE_ENV: 'test' }
  const token = realm.token({ roles: ['read-profile'] })
  const { code, stdout, stderr } = await doctorProcess({ args: ['doctor', '--route', 'permission=read-profile'], env, input: `${token}\n` })
  t.equal(stderr, '')
  t.match(stdout, /ok {4}introspection {3}the client "api" may introspect[^]*ok {4}signature[^]*ok {4}permission[^]*the token passes[^]*All is well\.\n$/)
  t.notMatch(stdout, /FAIL|warn/)
  t.notMatch(stdout, '\u001b', 'without a terminal there are no colours')
  t.equal(code, 0)
})

t.test('a finding: exit code 1, with the reason and its cure, and neither token nor secret', async (t) => {
  const realm = await realmFor(t)
  const token = realm.token({ claims: { aud: 'other' } })
  const env = { ...environmentOf(realm), KEYCLOAK_CLIENT_SECRET: 'not-the-secret', NODE_ENV: 'test', KEYCLOAK_TOKEN: token, FORCE_COLOR: '1' }
  const { code, stdout, stderr } = await doctorProcess({ env })
  t.equal(code, 1)
  t.match(stdout, /FAIL {2}introspection .*clientSecret is not the secret.*\[credentials\]/)
  t.match(stdout, /FAIL {2}aud .*add an audience mapper for "api" in Keycloak.*\[aud_mismatch\]/)
  for (const part of ['not-the-secret', token, ...token.split('.')]) t.notMatch(stdout + stderr, part)
})

t.test('wrong usage: exit code 2, a sentence, and nothing on standard output', async (t) => {
  const realm = await realmFor(t)
  const { code, stdout, stderr } = await doctorProcess({ args: ['doctor', '--token', 'hunter2'], env: environmentOf(realm) })
  t.equal(code, 2)
  t.equal(stdout, '')
  t.match(stderr, /a token belongs into standard input or into KEYCLOAK_TOKEN/)
  t.notMatch(stderr, 'hunter2')
})
