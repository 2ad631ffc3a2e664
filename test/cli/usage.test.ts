// Wrong usage: exit code 2, and one sentence that says what to write, without the value that was given.
import { Readable } from 'node:stream'
import t from 'tap'
import { run } from '../../lib/cli/run.js'
import { doctor } from '../support/doctor-cli.js'

const ISSUER = 'https://sso.example.com/realms/acme'

async function refusal (args: string[], env: Record<string, string> = { KEYCLOAK_ISSUER: ISSUER }): Promise<string> {
  const { code, stdout, stderr } = await doctor({ args, env })
  return `${code} ${stdout}${stderr.replace('fastify-keycloak-bearer doctor: ', '').trimEnd()}`
}

t.test('tokens and secrets do not belong among the arguments', async (t) => {
  const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl'
  const cases: Array<[args: string[], sentence: RegExp]> = [
    [[token], /^2 an argument looks like a token: a token belongs into standard input or into KEYCLOAK_TOKEN, and the secret into KEYCLOAK_CLIENT_SECRET/],
    [[`--token=${token}`], /an argument looks like a token/],
    [['--route', `permission=${token}`], /an argument looks like a token/],
    [['--token', 'hunter2'], /there is no option for tokens and secrets/],
    [['--client-secret=hunter2'], /there is no option for tokens and secrets/],
    [['--password', 'hunter2'], /there is no option for tokens and secrets/],
    [['hunter2'], /there is an argument that is no option/],
    [['--', 'hunter2'], /there is an argument that is no option/],
    [['--option', 'clientSecret=hunter2'], /--option clientSecret comes from the environment: write it into KEYCLOAK_CLIENT_SECRET/],
    [['--option', 'dpop={"nonce":{"secret":"hunter2"}}'], /--option takes no secret/],
    [['--option', 'mySecret=hunter2'], /--option takes no secret/]
  ]
  for (const [args, sentence] of cases) {
    const said = await refusal(args)
    t.match(said, sentence, args[0])
    t.notMatch(said, /hunter2|eyJ/)
  }
})

t.test('misspelled and incomplete options', async (t) => {
  const cases: Array<[args: string[], sentence: string]> = [
    [['--jsno'], 'an option is not known: write --json'],
    [['--colour'], '--colour is not known: see --help'],
    [['-x'], 'an option is not known: see --help'],
    [['--json=yes'], '--json takes no value'],
    [['--route'], '--route needs a value: see --help'],
    [['--logout-url='], '--logout-url needs a value: see --help'],
    [['--route', 'permission=read', '--route', 'permission=write'], '--route permission is given twice: write one, whose value can be a list, such as \'permission=["read","write"]\''],
    [['--option', 'leeway=5', '--option', 'leeway=6'], '--option leeway is given twice: write one, whose value can be a list, such as \'algorithms=["RS256","ES256"]\''],
    [['--option', 'leeway'], '--option must be a name, "=" and a value, such as leeway=5'],
    [['--route', '=x'], '--route must be a name, "=" and a value, such as permission=read-profile'],
    [['--option', 'issuer=https://x.test'], '--option issuer comes from the environment: write it into KEYCLOAK_ISSUER'],
    [['--option', 'verifySignature=false'], '--option verifySignature is not taken: the doctor always checks the signature'],
    [['--logout-url', 'api.example.com/logout'], '--logout-url must be an http or https URL, not one that does not begin with http:// or https://']
  ]
  for (const [args, sentence] of cases) t.equal(await refusal(args), `2 ${sentence}`)
})

t.test('the plugin checks options and rules, in the words of the doctor', async (t) => {
  t.match(await refusal(['--option', 'leeway=x']), /^2 --option leeway must be a number of seconds, 0 or more/)
  t.match(await refusal(['--option', 'jwks={"timeout":0}']), /^2 --option jwks.timeout must be a whole number of milliseconds/)
  t.match(await refusal(['--option', 'leewy=5']), /^2 --option leewy is unknown; write "leeway"/)
  t.match(await refusal(['--route', 'role=x']), /^2 --route role is not known: write one of permission, scope, /)
  t.match(await refusal(['--route', 'permission=[]']), /^2 --route: config\.permission must hold a rule at least/)
  t.match(await refusal(['--route', 'senderConstrained=true']), /needs the option dpop or mtls/)
})

t.test('the environment', async (t) => {
  const cases: Array<[env: Record<string, string>, sentence: RegExp]> = [
    [{}, /^2 KEYCLOAK_ISSUER is missing: write the URL of the realm into it/],
    [{ KEYCLOAK_ISSUER: '' }, /^2 KEYCLOAK_ISSUER is missing/],
    [{ KEYCLOAK_ISSUER: 'sso.example.com' }, /^2 KEYCLOAK_ISSUER must be an http or https URL/],
    [{ KEYCLOAK_ISSUER: `${ISSUER} x` }, /^2 KEYCLOAK_ISSUER must be an http or https URL/],
    [{ KEYCLOAK_ISSUER: ISSUER, KEYCLOAK_SERVER_URL: 'keycloak:8080' }, /^2 KEYCLOAK_SERVER_URL must be an http or https URL/],
    [{ KEYCLOAK_ISSUER: ISSUER, KEYCLOAK_SERVER_URL: 'http://a.test/realms/x, http://b.test/realms/x' }, /^2 KEYCLOAK_SERVER_URL must have as many URLs as KEYCLOAK_ISSUER/],
    [{ KEYCLOAK_ISSUER: ISSUER, KEYCLOAK_CLIENT_SECRET: 'hunter2' }, /^2 KEYCLOAK_CLIENT_ID is missing: KEYCLOAK_CLIENT_SECRET is the secret of that client/],
    [{ KEYCLOAK_ISSUER: ISSUER, KEYCLOAK_CLIENT_ID: 'api', KEYCLOAK_CLIENT_SECRET: 'hunter2\n' }, /^2 KEYCLOAK_CLIENT_SECRET must be .*white space around it/]
  ]
  for (const [env, sentence] of cases) {
    const said = await refusal([], env)
    t.match(said, sentence)
    t.notMatch(said, 'hunter2')
  }
})

t.test('help, with the command and without', async (t) => {
  for (const args of [['--help'], ['-h'], ['doctor', '--help']]) {
    let text = ''
    const write = (part: string): void => { text += part }
    const code = await run({ args, env: {}, stdin: Readable.from([]), stdout: { write }, stderr: { write } })
    t.equal(code, 0)
    t.match(text, /Usage: fastify-keycloak-bearer doctor .*KEYCLOAK_ISSUER[^]*Exit code: 0 all is well/s)
  }
  for (const [problem, args] of [['missing', []], ['not known', ['docter']], ['missing', ['--json']]] as const) {
    let text = ''
    const code = await run({ args, env: {}, stdin: Readable.from([]), stdout: { write () {} }, stderr: { write: (part) => { text += part } } })
    t.equal(code, 2)
    t.match(text, `the command is ${problem}: write fastify-keycloak-bearer doctor, or --help`)
  }
})
