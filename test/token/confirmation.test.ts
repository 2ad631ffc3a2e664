// The claims cnf and typ: what a token demands beside itself, and what is refused because nobody here checks it.
import t from 'tap'
import { bindingOf, confirmationFault, type ConfirmationMethods, NO_CONFIRMATION } from '../../lib/token/confirmation.js'
import type { JsonObject } from '../../lib/util/strict-json.js'

const JKT = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I'
const X5T = 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg0'
const BOTH = { dpop: true, mtls: true }
const DPOP = { dpop: true, mtls: false }
const MTLS = { dpop: false, mtls: true }

const CASES: ReadonlyArray<readonly [name: string, claims: JsonObject, methods: ConfirmationMethods, fault: ReturnType<typeof confirmationFault>]> = [
  ['a Bearer token', {}, BOTH, undefined],
  ['jkt', { cnf: { jkt: JKT } }, DPOP, undefined],
  ['jkt as Keycloak writes it', { typ: 'DPoP', cnf: { jkt: JKT, 'kc-jkt-type': 'DPoP' } }, DPOP, undefined],
  ['x5t#S256', { cnf: { 'x5t#S256': X5T } }, MTLS, undefined],
  ['both', { cnf: { jkt: JKT, 'x5t#S256': X5T } }, BOTH, undefined],
  ['jkt without the option dpop', { cnf: { jkt: JKT } }, MTLS, 'sender_constrained'],
  ['x5t#S256 without the option mtls', { cnf: { 'x5t#S256': X5T } }, DPOP, 'sender_constrained'],
  ['both, and one of them is off', { cnf: { jkt: JKT, 'x5t#S256': X5T } }, DPOP, 'sender_constrained'],
  ['both, and the other is off', { cnf: { jkt: JKT, 'x5t#S256': X5T } }, MTLS, 'sender_constrained'],
  ['no option', { cnf: { jkt: JKT } }, NO_CONFIRMATION, 'sender_constrained'],
  ['no option, and nothing in it', { cnf: {} }, NO_CONFIRMATION, 'sender_constrained'],
  ['typ DPoP without cnf', { typ: 'DPoP' }, DPOP, 'dpop_typ_unbound'],
  ['typ DPoP with a certificate alone, as Keycloak writes it for a client with both', { typ: 'DPoP', cnf: { 'x5t#S256': X5T } }, BOTH, 'dpop_typ_unbound'],
  ['another method', { cnf: { jwk: {} } }, BOTH, 'cnf_method_unknown'],
  ['another method beside jkt', { cnf: { jkt: JKT, kid: 'x' } }, BOTH, 'cnf_method_unknown'],
  ['jkt in another case', { cnf: { JKT } }, BOTH, 'cnf_method_unknown'],
  ['a note alone', { cnf: { 'kc-jkt-type': 'DPoP' } }, BOTH, 'cnf_malformed'],
  ['a member __proto__', { cnf: JSON.parse(`{"__proto__":{"jkt":"${JKT}"}}`) }, BOTH, 'cnf_method_unknown'],
  ...[{}, null, '', 'x', [], [{ jkt: JKT }], 5, true, undefined].map((cnf) => [`cnf ${JSON.stringify(cnf)}`, { cnf }, BOTH, 'cnf_malformed'] as const),
  ...['', 'x', `${JKT}A`, JKT.slice(1), `${JKT.slice(0, -1)}J`, `${JKT}=`, JKT.replace('-', '+'), null, 5, [JKT], { x: JKT }]
    .flatMap((value) => ['jkt', 'x5t#S256'].map((name) => [`${name} ${JSON.stringify(value)}`, { cnf: { [name]: value } }, BOTH, 'cnf_malformed'] as const))
]

for (const [name, claims, methods, fault] of CASES) {
  t.test(`${name}, ${JSON.stringify(methods)}: ${fault ?? 'good'}`, async (t) => t.equal(confirmationFault(claims, methods), fault))
}

t.test('a good token names the keys to be proven', async (t) => {
  t.equal(bindingOf({}), undefined)
  t.same(bindingOf({ cnf: { jkt: JKT, 'kc-jkt-type': 'DPoP' } }), { jkt: JKT, certificate: undefined })
  t.same(bindingOf({ cnf: { jkt: JKT, 'x5t#S256': X5T } }), { jkt: JKT, certificate: X5T })
})
