import t from 'tap'
import { hasMember, memberOf } from '../../lib/util/members.js'

t.test('a member that an object has from Object.prototype alone is not its own', async (t) => {
  // eslint-disable-next-line no-extend-native -- which is what pollution does
  Object.defineProperty(Object.prototype, 'zz', { value: 'polluted', configurable: true })
  t.teardown(() => { delete (Object.prototype as { zz?: unknown }).zz })
  t.equal(memberOf({}, 'zz'), undefined)
  t.equal(memberOf(Object.create({}), 'zz'), undefined)
  t.equal(memberOf(Object.create(null), 'zz'), undefined)
  t.equal(memberOf(new Proxy(Object.create(null), { get: () => 'answered' }), 'zz'), 'answered')
  t.equal(memberOf({ zz: 'own' }, 'zz'), 'own')
  t.equal(memberOf(Object.create({ zz: 'of its class' }), 'zz'), 'of its class')
  t.equal(hasMember({}, 'zz'), false)
  t.equal(hasMember({}, 'absent'), false)
  t.equal(hasMember({ zz: undefined }, 'zz'), true)
  t.equal(hasMember({ other: undefined }, 'other'), true)
})
