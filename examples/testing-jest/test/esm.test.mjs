// The same by import, which jest can under node --experimental-vm-modules.
import { expect, jest, test } from '@jest/globals'
import { createTestRealm } from 'fastify-keycloak-bearer/testing'
import { buildApp } from '../app.js'
import { fakeDate } from './fake-date.js'

const realm = await createTestRealm()

test('a token expires while it is used', async () => {
  const app = await buildApp(realm.options)
  fakeDate(jest)
  const token = realm.token({ username: 'bob' }) // lives for 300 seconds
  expect((await realm.inject(app, { as: token, url: '/me' })).json()).toMatchObject({ name: 'bob' })
  jest.advanceTimersByTime(301_000)
  expect((await realm.inject(app, { as: token, url: '/me' })).json()).toMatchObject({ statusCode: 401, code: 'token_expired' })
  jest.useRealTimers()
  await app.close()
})
