import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { createTestRealm, type TokenSpec } from 'fastify-keycloak-bearer/testing'
import { buildApp } from './app.js'
import { RawUpload, type UploadHead } from './raw-upload.js'

const MB = 2 ** 20
const ALICE: TokenSpec = { username: 'alice', roles: ['upload'] }
const BOB: TokenSpec = { username: 'bob' }

/** The API on a port, a realm of its own and a folder. */
async function start (t: TestContext, { fileSize = MB, linger = 600_000 } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'uploads-test-'))
  const realm = await createTestRealm()
  const app = await buildApp(realm.options, { folder, fileSize, linger })
  t.after(async () => {
    await app.close()
    await realm.close()
    await rm(folder, { recursive: true })
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo

  async function upload (who: TokenSpec | null, size: number, path = '/files') {
    const body = new FormData()
    body.set('file', new Blob([new Uint8Array(size)]), '../../etc/passwd')
    const headers = who === null ? undefined : { authorization: `Bearer ${realm.token(who)}` }
    const reply = await fetch(url + path, { method: 'POST', headers, body })
    return { status: reply.status, body: await reply.json() as Record<string, unknown> }
  }
  return {
    app,
    realm,
    upload,
    raw: (head: Omit<UploadHead, 'port'>) => new RawUpload({ port, ...head }),
    list: (token: string) => app.inject({ url: '/files', headers: { authorization: `Bearer ${token}` } }),
    kept: () => readdir(folder)
  }
}

async function until (condition: () => Promise<boolean>): Promise<void> {
  while (!await condition()) await wait(20)
}

test('with the permission a file is stored, and listed for its owner', async (t) => {
  const { realm, upload, list, kept } = await start(t)
  const { status, body } = await upload(ALICE, 1000)
  assert.equal(status, 201)
  assert.equal(body.size, 1000)
  assert.deepEqual(await kept(), [body.id], 'under a name of ours')
  assert.deepEqual((await list(realm.token(ALICE))).json(), [body])
  assert.deepEqual((await list(realm.token(BOB))).json(), [])
})

test('without it the answer is 401 or 403, and nothing is stored', async (t) => {
  const { upload, kept } = await start(t)
  const codes = []
  for (const who of [null, BOB, { ...ALICE, expired: true }, { ...ALICE, forged: true }]) {
    const { status, body } = await upload(who, 1000)
    codes.push([status, body.code])
  }
  assert.deepEqual(codes, [[401, 'not_authenticated'], [403, 'permission_denied'], [401, 'token_expired'], [401, 'token_not_valid']])
  assert.deepEqual(await kept(), [])
})

test('an anonymous large upload is refused before its body comes, and its connection is closed', async (t) => {
  const { app, raw } = await start(t, { linger: 500 })
  const connected = once(app.server, 'connection') as Promise<[Socket]>
  const upload = raw({ size: 1000 * MB })
  const [server] = await connected
  assert.equal(await upload.status(), 'HTTP/1.1 401 Unauthorized')
  assert.match(upload.received, /"not_authenticated"/)
  upload.open()
  upload.send(MB)
  await upload.closed
  assert.ok(server.bytesRead < 10 * MB, 'long before a gigabyte')
})

test('who asks before sending is not told to go on when refused, and is when let in', async (t) => {
  const { realm, raw } = await start(t)
  for (const [who, status] of [[undefined, '401 Unauthorized'], [BOB, '403 Forbidden']] as const) {
    const upload = raw({ size: 1000 * MB, expect: true, token: who && realm.token(who) })
    await upload.closed
    assert.equal(await upload.status(), `HTTP/1.1 ${status}`)
    assert.match(upload.received, /^connection: close$/im)
  }
  const upload = raw({ size: 1000, expect: true, token: realm.token(ALICE) })
  assert.equal(await upload.status(), 'HTTP/1.1 100 Continue')
  upload.open()
  upload.send(1000)
  assert.match(await upload.finish(), /^HTTP\/1.1 201 Created/m)
})

test('a token that expires during the upload: /files finishes it, /contracts refuses and keeps nothing', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const { realm, raw, list, kept } = await start(t)
  const token = realm.token({ ...ALICE, expiresIn: 60 })
  const uploads = ['/files', '/contracts'].map((url) => raw({ url, size: 2000, token }))
  for (const upload of uploads) {
    upload.open()
    upload.send(1000)
  }
  await until(async () => (await kept()).length === 2)
  t.mock.timers.setTime(Date.now() + 61_000)
  assert.equal((await list(token)).json().code, 'token_expired')
  for (const upload of uploads) upload.send(1000)

  const [files, contracts] = await Promise.all(uploads.map((upload) => upload.finish()))
  assert.match(files, /^HTTP\/1.1 201 /)
  assert.match(contracts, /^HTTP\/1.1 401 .*"token_expired"/s)
  assert.equal((await kept()).length, 1)
})

test('/contracts takes those whose token holds until the end', async (t) => {
  const { upload } = await start(t)
  assert.equal((await upload(ALICE, 1000, '/contracts')).status, 201)
})

test('a file that is too large is 413, and nothing of it is kept', async (t) => {
  const { upload, kept } = await start(t)
  assert.equal((await upload(ALICE, MB + 1)).status, 413)
  assert.deepEqual(await kept(), [])
  assert.equal((await upload(ALICE, MB - 1)).status, 201)
})

test('so is one whose limit lies in its first piece', async (t) => {
  const { upload, kept } = await start(t, { fileSize: 10 })
  assert.equal((await upload(ALICE, 11)).status, 413)
  assert.deepEqual(await kept(), [])
  assert.equal((await upload(ALICE, 10)).status, 201)
})

test('who is allowed to send and never stops is cut off as well', async (t) => {
  const { app, realm, raw } = await start(t, { linger: 500 })
  const connected = once(app.server, 'connection') as Promise<[Socket]>
  const upload = raw({ size: 1000 * MB, token: realm.token(ALICE) })
  const [server] = await connected
  upload.open()
  upload.send(2 * MB)
  assert.equal(await upload.status(), 'HTTP/1.1 413 Payload Too Large')
  await upload.closed
  assert.ok(server.bytesRead < 10 * MB)
})

test('the API closes at once, whoever is still sending', async (t) => {
  const { app, realm, raw } = await start(t)
  const refused = raw({ size: 1000 * MB })
  const tooLarge = raw({ size: 1000 * MB, token: realm.token(ALICE) })
  tooLarge.open()
  tooLarge.send(2 * MB)
  await Promise.all([refused.status(), tooLarge.status()])
  await app.close()
  await Promise.all([refused.closed, tooLarge.closed])
})

test('a client that goes away leaves nothing behind', async (t) => {
  const { realm, raw, kept } = await start(t)
  const upload = raw({ size: 2000, token: realm.token(ALICE) })
  upload.open()
  upload.send(1000)
  await until(async () => (await kept()).length === 1)
  upload.abort()
  await until(async () => (await kept()).length === 0)
})

test('a form without a file is 400, and what is no form 406', async (t) => {
  const { app, realm } = await start(t)
  const headers = { authorization: `Bearer ${realm.token(ALICE)}` }
  const form = { 'content-type': 'multipart/form-data; boundary=x' }
  const empty = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
  assert.equal((await app.inject({ method: 'POST', url: '/files', headers: { ...headers, ...form }, payload: empty })).statusCode, 400)
  assert.equal((await app.inject({ method: 'POST', url: '/files', headers, payload: { file: 'x' } })).statusCode, 406)
})
