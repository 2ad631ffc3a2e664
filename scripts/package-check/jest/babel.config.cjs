// Also for `cookie`, which is ESM alone and which Fastify's inject requires: see transformIgnorePatterns.
module.exports = { plugins: ['@babel/plugin-transform-modules-commonjs'] }
