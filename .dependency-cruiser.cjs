// The rooms of lib/ and who may import whom, held by `npm run lint`; imports of types count. See CONTRIBUTING.md.

/** From the lowest floor up: a room imports from lower floors, and from itself. */
const FLOORS = [
  ['util'],
  ['reasons'],
  ['errors'],
  ['diagnostics'],
  ['options'],
  ['keycloak'],
  ['keys'],
  ['token'],
  ['access', 'proof', 'introspection', 'revocation', 'outbound'],
  ['doctor', 'openapi', 'metadata'],
  ['realm'],
  ['request'],
  ['cli', 'mcp']
]

const pathOf = (room) => room === 'errors' ? 'errors[.]ts$' : `${room}/`

/** @returns the pattern of the files of some rooms */
const rooms = (names) => `^lib/(${names.map(pathOf).join('|')})`

const directions = FLOORS.flatMap((floor, at) => floor.map((room) => ({
  name: `${room}-imports-lower-floors`,
  comment: `lib/${room} imports from ${['itself', ...FLOORS.slice(0, at).flat()].join(', ')} alone; realm/ and index.ts bring siblings together`,
  severity: 'error',
  from: { path: rooms([room]) },
  to: { path: '^lib/', pathNot: rooms([room, ...FLOORS.slice(0, at).flat()]) }
})))

module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    ...directions,
    {
      name: 'access-knows-the-identity-alone',
      comment: 'What a route allows is decided by who somebody is, however the token was verified',
      severity: 'error',
      from: { path: '^lib/access/' },
      to: { path: '^lib/token/', pathNot: '^lib/token/(identity|login|token-kind)[.]ts$' }
    },
    {
      name: 'lib-stands-alone',
      comment: 'What is published imports nothing of the tests, examples, benchmarks and scripts',
      severity: 'error',
      from: { path: '^(index[.]ts|lib/|types/)' },
      to: { path: '^(test|examples|benchmarks|scripts)/' }
    },
    {
      name: 'mcp-stands-apart',
      comment: 'The plugin loads nothing of the entry point for MCP servers',
      severity: 'error',
      from: { path: '^(index[.]ts|lib/)', pathNot: '^lib/mcp/' },
      to: { path: '^lib/mcp/' }
    },
    {
      name: 'testing-stands-apart',
      comment: 'The plugin loads nothing of the test realm, whose private keys are published',
      severity: 'error',
      from: { path: '^(index[.]ts|lib/)', pathNot: '^lib/testing/' },
      to: { path: '^lib/testing/' }
    }
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(node_modules|dist|[.]tap)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.mts', '.js', '.mjs', '.cjs'] }
  }
}
