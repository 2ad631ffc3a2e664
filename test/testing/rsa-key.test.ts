import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import t from 'tap'
import { rsaKey } from '../../lib/testing/rsa-key.js'

t.test('the primes of an RSA key give all its other numbers, as node:crypto makes them', (t) => {
  // Some lengths have an odd number of hexadecimal digits.
  for (const modulusLength of [512, 1018, 2048]) {
    const made = generateKeyPairSync('rsa', { modulusLength }).privateKey.export({ format: 'jwk' })
    const { d, ...others } = rsaKey({ p: made.p!, q: made.q! })
    const { d: _, ...expected } = made
    t.same(others, expected)
    const key = createPrivateKey({ key: { ...others, d }, format: 'jwk' })
    const content = Buffer.from('content')
    t.ok(verify('sha256', content, createPublicKey(createPrivateKey({ key: made, format: 'jwk' })), sign('sha256', content, key)))
  }
  t.end()
})
