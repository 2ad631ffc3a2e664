// On PGlite, and on a real Postgres as well when DATABASE_URL is set: in a schema of the tests' own, which is dropped.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { eq, sql } from 'drizzle-orm'
import { createTestRealm, type TestRealm, type TokenSpec } from 'fastify-keycloak-bearer/testing'
import { buildApp } from './app.js'
import { openDatabase, type Connection } from './database.js'
import { users, type User } from './schema.js'

const { DATABASE_URL } = process.env
const URLS = { PGlite: undefined, ...DATABASE_URL && { Postgres: DATABASE_URL } }

for (const [name, url] of Object.entries(URLS)) {
  describe(name, () => {
    const schema = `test_${randomUUID().replaceAll('-', '')}`
    let database: Connection
    let realm: TestRealm
    let app: Awaited<ReturnType<typeof buildApp>>

    before(async () => {
      database = await openDatabase(url, schema)
      realm = await createTestRealm()
      app = await buildApp(database.db, realm.options)
    })
    after(async () => {
      await app.close()
      await realm.close()
      if (url !== undefined) await database.db.execute(sql`DROP SCHEMA ${sql.identifier(schema)} CASCADE`)
      await database.close()
    })

    const me = (who: TokenSpec) => app.inject({ url: '/me', headers: as(who) })
    const as = (who: TokenSpec) => ({ authorization: `Bearer ${realm.token(who)}` })
    const rows = (id: string) => database.db.select().from(users).where(eq(users.id, id))
    const now = () => Math.floor(Date.now() / 1000)

    /** Postgres writes a new version of a row at each update, even one that changes nothing. */
    async function version (id: string): Promise<unknown> {
      const [row] = await database.db.select({ xmin: sql`xmin::text` }).from(users).where(eq(users.id, id))
      return row.xmin
    }

    test('it is that database', async () => {
      const result = await database.db.execute(sql`SELECT version()`) as unknown as { rows: Array<{ version: string }> }
      assert.match(result.rows[0].version, /^PostgreSQL \d+/)
      assert.equal(/emscripten|wasm/i.test(result.rows[0].version), name === 'PGlite', result.rows[0].version)
    })

    test('the first request of a user makes the row, request.user is it', async () => {
      const sub = randomUUID()
      const { statusCode, body } = await me({ username: 'alice', sub })
      assert.equal(statusCode, 200)
      const user = JSON.parse(body) as User
      assert.deepEqual(
        { id: user.id, username: user.username, email: user.email, isActive: user.isActive },
        { id: sub, username: 'alice', email: 'alice@example.com', isActive: true })
      assert.deepEqual(JSON.parse(JSON.stringify(await rows(sub))), [user])
    })

    test('two first requests at once make one row, and both are answered', async () => {
      const sub = randomUUID()
      const replies = await Promise.all(Array.from({ length: 20 }, () => me({ sub })))
      assert.deepEqual(replies.map(({ statusCode }) => statusCode), Array(20).fill(200))
      assert.equal((await rows(sub)).length, 1)
    })

    test('it writes when the token tells something new, and only then', async () => {
      const sub = randomUUID()
      await me({ sub })
      const first = await version(sub)
      for (let i = 0; i < 3; i++) await me({ sub })
      assert.equal(await version(sub), first)

      const { email } = (await me({ sub, claims: { email: 'new@example.com' } })).json()
      assert.equal(email, 'new@example.com')
      assert.notEqual(await version(sub), first)
    })

    test('what a token does not tell stays as it is', async () => {
      const sub = randomUUID()
      await me({ sub })
      const { email } = (await me({ sub, claims: { email: undefined } })).json()
      assert.equal(email, 'alice@example.com')
    })

    test('an older token, still valid, does not take back what a newer one told', async () => {
      const sub = randomUUID()
      await me({ sub, claims: { email: 'new@example.com' } })
      const old = await me({ sub, claims: { email: 'old@example.com', iat: now() - 60 } })
      assert.equal(old.json().email, 'new@example.com')
    })

    test('the same when they come at once', async () => {
      const sub = randomUUID()
      const newest = now() - 60 // once, because the clock may tick between two of them
      await Promise.all(Array.from({ length: 10 }, (_, i) => me({ sub, claims: { email: `${i}@example.com`, iat: newest - i } })))
      assert.equal((await rows(sub))[0].email, '0@example.com')
    })

    test('a name that goes to somebody else makes another row', async () => {
      const [before, later] = [randomUUID(), randomUUID()]
      assert.equal((await me({ username: 'carol', sub: before })).statusCode, 200)
      assert.equal((await me({ username: 'carol', sub: later })).statusCode, 200)
      assert.notEqual((await rows(before))[0].id, (await rows(later))[0].id)
    })

    test('an inactive user is 401 user_inactive, and active again when told so', async () => {
      const sub = randomUUID()
      await me({ sub })
      const set = (isActive: unknown, roles = ['manage-users']) =>
        app.inject({ method: 'PATCH', url: `/users/${sub}`, headers: as({ username: 'bob', roles }), payload: { isActive } })

      assert.equal((await set(false, [])).statusCode, 403)
      assert.equal((await set('perhaps')).statusCode, 400)
      assert.equal((await me({ sub })).statusCode, 200)

      assert.equal((await set(false)).statusCode, 200)
      const refused = await me({ sub, claims: { email: 'again@example.com' } })
      assert.equal(refused.statusCode, 401)
      assert.equal(refused.json().code, 'user_inactive')
      assert.equal((await rows(sub))[0].isActive, false, 'a sync does not bring them back')

      assert.equal((await set(true)).statusCode, 200)
      assert.equal((await me({ sub })).statusCode, 200)
    })

    test('values that do not fit the columns are no error of the server', async () => {
      const sub = randomUUID()
      const long = 'ä😀'.repeat(200)
      const user = (await me({ sub, claims: { email: `${long}@example.com`, name: long } })).json() as User
      assert.equal(user.email, null)
      assert.equal(user.name, 'ä😀'.repeat(50))
      const written = await version(sub)
      await me({ sub, claims: { email: `${long}@example.com`, name: long } })
      assert.equal(await version(sub), written, 'nor are they written each time')

      for (const claims of [{ name: 'a\0b' }, { name: 'a\ud800b' }, { email: ['a@example.com'] }]) {
        assert.equal((await me({ sub, claims })).statusCode, 200)
      }
      for (const claims of [{ preferred_username: long }, { preferred_username: 'a\0' }, { sub: 'x'.repeat(256) }]) {
        const { statusCode, body } = await me({ sub, claims })
        assert.equal(statusCode, 401)
        assert.equal(JSON.parse(body).code, 'user_inactive')
      }
    })

    test('all users are listed for who manages them', async () => {
      assert.equal((await app.inject({ url: '/users' })).statusCode, 401)
      assert.equal((await app.inject({ url: '/users', headers: as({}) })).statusCode, 403)
      const list = (await app.inject({ url: '/users', headers: as({ roles: ['manage-users'] }) })).json() as User[]
      assert.ok(list.length > 1)
    })

    test('a database that fails is 503, without a word of the query', async () => {
      const gone = await openDatabase(url, schema)
      await gone.close()
      const app = await buildApp(gone.db, realm.options)
      const { statusCode, body } = await app.inject({ url: '/me', headers: as({}) })
      await app.close()
      assert.equal(statusCode, 503)
      assert.equal(JSON.parse(body).code, 'USERS_UNAVAILABLE')
      assert.doesNotMatch(body, /select|alice/i)
    })
  })
}
