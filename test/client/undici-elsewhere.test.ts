// A later undici may have other files. This process has one without them.
import { register } from 'node:module'
import t from 'tap'
import { apiFor, ask, realmFor } from '../support/app.js'
import { loadedFiles } from '../support/loaded-files.js'

const HOOKS = `export async function resolve (specifier, context, next) {
  if (specifier.startsWith('undici/lib/')) throw Object.assign(new Error('it is not there'), { code: 'ERR_MODULE_NOT_FOUND' })
  return next(specifier, context)
}`

t.test('if undici has its classes elsewhere, all of it is loaded', async (t) => {
  register(`data:text/javascript,${encodeURIComponent(HOOKS)}`)
  const realm = await realmFor(t)
  t.equal(await ask(await apiFor(t, realm), '/me', realm.token()), '200')
  t.ok(loadedFiles('undici').includes('index.js'))
})
