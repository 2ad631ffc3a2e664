// No error has the value of an option that holds a secret, whatever form the value has, and wherever the options stand.
import { inspect } from 'node:util'
import t from 'tap'
import { redisReplayStore, redisStore } from '../../index.js'
import { refusalOf } from '../support/app.js'
import { CERTIFICATE } from '../support/certificate.js'

const issuer = 'https://sso.example.com/realms/acme'
const DIGITS = '12345678901234'

/** The digits of a secret in each form that a configuration file or a mistake gives them. */
const FORMS: readonly unknown[] = [Number(DIGITS), BigInt(DIGITS), DIGITS.slice(0, -1) + '4\n', [Number(DIGITS)], [[DIGITS]], { [`x${DIGITS}`]: DIGITS }, Buffer.from(`${DIGITS} `), Symbol(DIGITS)]

const OPTIONS: Readonly<Record<string, (value: unknown) => object>> = {
  clientSecret: (clientSecret) => ({ clientSecret }),
  clientAssertion: (clientAssertion) => ({ clientAssertion }),
  'clientAssertion.key': (key) => ({ clientAssertion: { key } }),
  'clientAssertion.keyId': (keyId) => ({ clientAssertion: { key: () => '', keyId } }),
  clientCertificate: (clientCertificate) => ({ clientCertificate }),
  'clientCertificate.cert': (cert) => ({ clientCertificate: { cert, key: 'k' } }),
  'clientCertificate.key': (key) => ({ clientCertificate: { cert: CERTIFICATE, key } }),
  'dpop.nonce.secret': (secret) => ({ dpop: { nonce: { secret } } }),
  'dpop.nonce.secret.1': (secret) => ({ dpop: { nonce: { secret: ['s'.repeat(32), secret] } } })
}

/** A misspelled name is shown, which is no value. */
const withoutNames = (sentence: string): string => sentence.replace(/^(fastify-keycloak-bearer: )?option "[^"]+" is unknown/, '')

t.test('options that hold a secret', async (t) => {
  for (const [name, make] of Object.entries(OPTIONS)) {
    for (const value of FORMS) {
      const what = `${name}: ${inspect(value)}`
      const alone = await refusalOf({ issuer, clientId: 'api', ...make(value) })
      t.match(alone, `option "${name.split('.')[0]}`, what)
      t.notMatch(withoutNames(alone), DIGITS, what)
      const beside = await refusalOf({ issuers: [{ issuer, clientId: 'api' }], ...make(value) })
      t.notMatch(withoutNames(beside), DIGITS, what)
      const inEntry = await refusalOf({ issuers: [{ issuer, clientId: 'api', ...make(value) }] })
      t.notMatch(withoutNames(inEntry), DIGITS, what)
    }
  }
  t.match(await refusalOf({ issuer, dpop: { nonce: { secret: Number(DIGITS) } } }), /option "dpop.nonce.secret" must be a text of 32 characters or more, .*, not a number$/)
})

t.test('clients of Redis', async (t) => {
  for (const make of [redisStore, redisReplayStore]) {
    for (const value of [DIGITS, Number(DIGITS), { password: DIGITS }, { [DIGITS]: DIGITS }]) {
      let sentence = ''
      try {
        make({ client: value as never })
      } catch (error) {
        sentence = inspect(error)
      }
      t.match(sentence, /client/)
      t.notMatch(sentence, DIGITS)
    }
  }
})
