import neostandard, { plugins } from 'neostandard'

const tseslint = plugins['typescript-eslint']

/** Rules that need the types of a file: promises that nobody waits for are the bugs that tests see last. */
const typed = {
  files: ['index.ts', 'lib/**/*.ts', 'test/**/*.ts', 'benchmarks/**/*.ts', 'scripts/**/*.ts', 'examples/demo/**/*.ts'],
  ignores: ['scripts/package-check/**'],
  languageOptions: { parserOptions: { projectService: true } },
  plugins: { '@typescript-eslint': tseslint.plugin },
  rules: {
    // A subtest of tap is awaited by the test around it.
    '@typescript-eslint/no-floating-promises': ['error', {
      allowForKnownSafePromises: [{ from: 'package', name: 'PromiseWithSubtest', package: '@tapjs/core' }]
    }],
    // A listener or a callback may be an async function: no-floating-promises holds the promises inside of it.
    '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
    '@typescript-eslint/await-thenable': 'error',
    // A promise that is left to itself on purpose, since it never rejects, says so by `void`.
    'no-void': ['error', { allowAsStatement: true }]
  }
}

/** A file is one idea, and a function fits on a screen. */
const sizes = [
  { files: ['index.ts'], rules: { 'max-lines': ['error', 120] } },
  { files: ['lib/**/*.ts'], rules: { 'max-lines': ['error', 200] } },
  { files: ['index.ts', 'lib/**/*.ts'], rules: { 'max-lines-per-function': ['error', 40] } }
]

export default [
  ...neostandard({ ts: true, ignores: ['dist/', 'site/', '.tap/', '.keycloak/', '**/node_modules/', '**/tap-snapshots/'] }),
  typed,
  ...sizes
]
