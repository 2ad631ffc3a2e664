/** The files whose coverage `npm test` measures, by all tests together: the plugin, and nothing else that a test loads. */
export default () => ['index.ts', 'lib/**/*.ts']
