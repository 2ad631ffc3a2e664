// Also for `cookie`, which Fastify's inject requires although it is ESM only: see transformIgnorePatterns.
module.exports = { plugins: ['@babel/plugin-transform-modules-commonjs'] }
